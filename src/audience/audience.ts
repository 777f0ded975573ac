/** A value of a field or custom attribute to compare with. */
export type AudienceValue = string | number | bigint | boolean

/** A number: a text is one as JSON writes it. */
export type AudienceNumber = number | bigint | string

/**
 * A day `YYYY-MM-DD`, a time of day without a zone `YYYY-MM-DDTHH:MM[:SS]`, which is read by the clock of the audience's
 * `timeZone`, or a moment, `YYYY-MM-DDTHH:MM[:SS]Z` or `+02:00`, or a `Date`.
 */
export type AudienceMoment = string | Date

/** What a field or attribute must be. Of several words all must hold: `{ atLeast: 18, below: 65 }`. */
export interface AudienceComparison {
  /** Not this value, none of these values, or not what this says. Who has no value is not that value either. */
  not?: AudienceCondition
  /** `true`: there is no value, or an empty one; `false`: there is one. */
  missing?: boolean
  /** Holds this text, whatever the case, by the collation of the database. */
  contains?: string
  /** Begins with this text, whatever the case, by the collation of the database. */
  startsWith?: string
  above?: AudienceNumber
  atLeast?: AudienceNumber
  below?: AudienceNumber
  atMost?: AudienceNumber
  /** On this day. */
  on?: string
  /** Before this day begins, or before this moment. */
  before?: AudienceMoment
  /** After this day has ended, or after this moment. */
  after?: AudienceMoment
  /** From the beginning of this day, or from this moment on. */
  since?: AudienceMoment
  /** To the end of this day, or to this moment, with it. */
  until?: AudienceMoment
  /**
   * Within so much time before now: `'30 days'`, also minutes, hours, weeks (up to 99,999), months (9,999) and years (999).
   * Of days and more the first one counts from its midnight.
   */
  last?: string
  /**
   * The day and month of a birthday: today, or within some days from today, which counts. Who was born on 29 February
   * has the day before in other years.
   */
  anniversary?: 'today' | { within: string }
}

/** A value, one of several, or a comparison. */
export type AudienceCondition = AudienceValue | readonly AudienceValue[] | AudienceComparison

/** Conditions that all must hold: by the name of a field or attribute, and in groups. JSON as it travels over HTTP. */
export interface AudienceWhere {
  /** At least one of these holds. */
  any?: readonly AudienceWhere[] | AudienceCondition
  /** Each of these holds. */
  all?: readonly AudienceWhere[] | AudienceCondition
  /** Not one of these holds. */
  none?: readonly AudienceWhere[] | AudienceCondition
  [name: string]: AudienceCondition | readonly AudienceWhere[] | undefined
}

/**
 * Who is meant. Always said, never assumed: `'all'` customers of the account, those with these `emails`, or those who meet
 * all conditions of `where`, whose days are those of `timeZone`, the name of an IANA time zone with its region, default `'UTC'`.
 */
export type Audience = 'all' | { emails: readonly string[] } | { where: AudienceWhere; timeZone?: string }
