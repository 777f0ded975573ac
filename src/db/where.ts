import type { Audience } from '../audience/audience.js'
import { type Condition, type Moment, requireAudience, type Test } from '../audience/conditions.js'
import { CustomAttributesError } from '../errors.js'
import { createKnownNames } from '../template/known-names.js'
import { isMomentType, isNumberType, isTextType, valueCheck } from './field-values.js'
import { rareSeparator } from './separators.js'
import type { TableColumn } from './table-catalogue.js'
import type { TableShape } from './table-shape.js'
import { NUMBER_PATTERN, WALL_PATTERN, ZONED_PATTERN } from './text-kinds.js'

/** A condition on the customer table `c`, its parameters numbered from `$4`. */
export interface SqlCondition {
  sql: string
  parameters: readonly string[]
}

/** An audience as SQL. */
export interface AudienceSql extends SqlCondition {
  /**
   * The same condition of customers that are found already: in the words that take the least time, where no index is to
   * answer.
   */
  found: SqlCondition
  /**
   * The condition that a customer is left out because a text cannot be compared, with the same parameters; undefined where
   * no text is compared as a number or a moment.
   */
  incomparable: string | undefined
  /**
   * The condition that a customer would be of the audience and is left out because its address is suppressed, with the same
   * parameters; undefined where addresses cannot be.
   */
  suppressed?: string
  /** The same of a customer that is left out because it has opted out, and whose address is not suppressed. */
  optedOut?: string
}

/**
 * Turns `where` into SQL: attributes by containment, which the GIN index answers, fields by equality. A condition is true or
 * false, also of who has no value, and null where a value is no number or moment and is compared as one: so not even
 * the negation of it holds.
 *
 * @param names - the account's attribute names
 * @param normalizeEmail - as emails are stored
 * @param now - what `last` and `anniversary` start from
 * @throws CustomAttributesError `INVALID_AUDIENCE` for an unknown name or a value that is impossible
 */
export function whereCondition(
  shape: TableShape,
  names: readonly string[],
  normalizeEmail: (email: string) => string,
  audience: Extract<Audience, { where: unknown }>,
  now: Date = new Date(),
): AudienceSql {
  const condition = requireAudience(audience, createKnownNames([...shape.standardFields, ...names], shape.catalogue))
  const write = (isFound: boolean) => {
    const writer = new ConditionWriter(shape, normalizeEmail, audience.timeZone ?? 'UTC', now, isFound)
    return { sql: writer.write(condition, false), parameters: writer.parameters, writer }
  }
  const { writer, ...sql } = write(false)
  const incomparable = writer.comparesTexts ? `(${writer.write(condition, true)}) is null` : undefined
  const { writer: _, ...found } = write(true)
  return { ...sql, found, incomparable }
}

/** What a condition looks at: a column, or an attribute, which is a text. */
interface Operand {
  /** a column of the table; undefined for an attribute */
  column: TableColumn | undefined
  /** SQL of the value as a text; a statement must use the parameters that it names */
  text(): string
}

class ConditionWriter {
  readonly parameters: string[] = []
  comparesTexts = false
  readonly #shape: TableShape
  readonly #normalizeEmail: (email: string) => string
  readonly #timeZone: string
  readonly #now: string
  readonly #isFound: boolean
  readonly #numbered = new Map<string, string>()

  constructor(
    shape: TableShape,
    normalizeEmail: (email: string) => string,
    timeZone: string,
    now: Date,
    isFound: boolean,
  ) {
    this.#shape = shape
    this.#isFound = isFound
    this.#normalizeEmail = normalizeEmail
    this.#timeZone = timeZone
    this.#now = now.toISOString()
  }

  /**
   * @param exact - whether false must differ from null: below a negation. Elsewhere both keep a customer out, and an index
   *   can answer.
   */
  write(condition: Condition, exact: boolean): string {
    if (condition.kind === 'not') return `not (${this.write(condition.of, true)})`
    if (condition.kind === 'all' || condition.kind === 'any') {
      if (condition.of.length === 0) return condition.kind === 'all' ? 'true' : 'false'
      const word = condition.kind === 'all' ? ' and ' : ' or '
      return `(${condition.of.map((one) => this.write(one, exact)).join(word)})`
    }
    const sql = this.#writeOne(condition)
    const isNull = condition.kind === 'equal' || condition.kind === 'text'
    return exact && isNull ? `coalesce(${sql}, false)` : sql
  }

  #writeOne(condition: Test): string {
    const operand = this.#operandOf(condition.name)
    switch (condition.kind) {
      case 'equal':
        return this.#equal(operand, condition)
      case 'missing':
        return `coalesce(${operand.text()}, '') = ''`
      case 'text':
        return this.#holds(operand, condition)
      case 'number':
        return this.#compareNumber(operand, condition)
      case 'moment': {
        const edge = this.#edge(condition.moment)
        return this.#compareMoment(
          operand,
          condition,
          (value, clock) => `${value} ${condition.operator} ${edge(clock)}`,
        )
      }
      case 'last': {
        const now = this.#momentEdge(this.#now)
        const span = () => `${this.#parameter(`${condition.amount} ${condition.unit}`)}::interval`
        // An hour of a clock that is set forward is none that has passed.
        const from: Edge = /minute|hour/.test(condition.unit)
          ? (clock) => this.#byClock(clock, `(${now('moment')} - ${span()})`)
          : this.#wallEdge(() => `(date_trunc('day', ${now('wall')}) - ${span()})`)
        return this.#compareMoment(
          operand,
          condition,
          (value, clock) => `${value} between ${from(clock)} and ${now(clock)}`,
        )
      }
      case 'anniversary': {
        const days = this.#list(anniversaries(this.#now, this.#timeZone, condition.days))
        return this.#compareMoment(operand, condition, (value, clock) => {
          const wall = clock === 'wall' ? `${value}::timestamp` : `${value} at time zone ${this.#zone}`
          // Infinity has no day of the year.
          return `coalesce(to_char(${wall}, 'MM-DD') = any (${days}), false)`
        })
      }
    }
  }

  #operandOf(name: string): Operand {
    const { standardFields, columns, sql } = this.#shape
    // As a template finds it: a field before an attribute of its name.
    const column = standardFields.includes(name) ? columns.get(name) : undefined
    return {
      column,
      // A column's own collation may be one that knows no patterns.
      text: () =>
        column
          ? `(c.${column.sql}::text collate "default")`
          : `(c.${sql.custom_attributes} ->> ${this.#parameter(name)})`,
    }
  }

  #equal({ column }: Operand, { name, path, values }: Extract<Test, { kind: 'equal' }>): string {
    if (!column) {
      const attributes = `c.${this.#shape.sql.custom_attributes}`
      // One look at the value, whatever the number of those that are wanted.
      if (this.#isFound) {
        const list = values.map((value) => JSON.stringify(value))
        return `${attributes} -> ${this.#parameter(name)} = any (${this.#list(list)}::jsonb[])`
      }
      const list = values.map((value) => JSON.stringify({ [name]: value }))
      return `${attributes} @> any (${this.#list(list)}::jsonb[])`
    }
    const check = valueCheck(column, 'iso')
    const list = values.map((value) => {
      const given = name === 'email' ? this.#normalizeEmail(value) : value
      const checked = check?.(given) ?? given
      if (typeof checked !== 'string') throw invalid(name, path, checked.message.replace(' Correct the cell.', ''))
      return checked
    })
    // Not with its scale, to which the value would be rounded.
    const wanted = `${this.#list(list)}::${column.type === 'numeric' ? 'numeric' : column.castType}[]`
    return name === 'email' && this.#shape.identity.isLower
      ? `lower(c.${column.sql}) = any (array(select lower(e) from unnest(${wanted}) e))`
      : `c.${column.sql} = any (${wanted})`
  }

  #holds({ column, text }: Operand, { text: wanted, isStart, ...place }: Extract<Test, { kind: 'text' }>): string {
    if (column && (isNumberType(column.type) || column.type === 'bool' || isMomentType(column))) {
      throw wrongType(place, column, 'text')
    }
    const searched = `lower(${text()})`
    const part = `lower(${this.#parameter(wanted)} collate "default")`
    return isStart ? `starts_with(${searched}, ${part})` : `strpos(${searched}, ${part}) > 0`
  }

  #compareNumber({ column, text }: Operand, { operator, number, ...place }: Extract<Test, { kind: 'number' }>): string {
    const bound = `${this.#parameter(number)}::numeric`
    if (!column || isTextType(column)) {
      this.comparesTexts = true
      const value = text()
      return `case when coalesce(${value}, '') = '' then false when ${value} ~* '${NUMBER_PATTERN}' then ${value}::numeric ${operator} ${bound} end`
    }
    if (!isNumberType(column.type)) throw wrongType(place, column, 'number')
    if (column.type.startsWith('int')) return `coalesce(c.${column.sql} ${operator} ${bound}, false)`
    // A float has the digits that it prints.
    const value = column.type === 'numeric' ? `c.${column.sql}` : `${text()}::numeric`
    return `coalesce(${value} <> 'NaN' and ${value} ${operator} ${bound}, false)`
  }

  #compareMoment(
    { column, text }: Operand,
    place: { name: string; path: string },
    compare: (value: string, clock: Clock) => string,
  ): string {
    if (!column || isTextType(column)) {
      this.comparesTexts = true
      const value = text()
      return (
        `case when coalesce(${value}, '') = '' then false when ${value} ~* '${WALL_PATTERN}' then ${compare(`${value}::timestamp`, 'wall')}` +
        ` when ${value} ~* '${ZONED_PATTERN}' then ${compare(`${value}::timestamptz`, 'moment')} end`
      )
    }
    if (!isMomentType(column)) throw wrongType(place, column, 'date')
    const clock = column.type === 'timestamptz' ? 'moment' : 'wall'
    return `(c.${column.sql} is not null and ${compare(`c.${column.sql}`, clock)})`
  }

  #edge({ text, isZoned }: Moment): Edge {
    return isZoned ? this.#momentEdge(text) : this.#wallEdge(() => `${this.#parameter(text)}::timestamp`)
  }

  #momentEdge(text: string): Edge {
    return (clock) => this.#byClock(clock, `${this.#parameter(text)}::timestamptz`)
  }

  #wallEdge(wall: () => string): Edge {
    return (clock) => (clock === 'wall' ? wall() : `(${wall()} at time zone ${this.#zone})`)
  }

  #byClock(clock: Clock, moment: string): string {
    return clock === 'wall' ? `(${moment} at time zone ${this.#zone})` : moment
  }

  get #zone(): string {
    return this.#parameter(this.#timeZone)
  }

  /** A text that stands more than once is one parameter. */
  #parameter(text: string): string {
    const known = this.#numbered.get(text)
    if (known !== undefined) return known
    const parameter = `$${this.parameters.push(text) + 3}::text`
    this.#numbered.set(text, parameter)
    return parameter
  }

  /** A list is one parameter, however long: a statement takes 65,535. */
  #list(texts: readonly string[]): string {
    const separator = this.#separator
    // Of an empty text string_to_array makes an array of nothing.
    return texts.join('') === ''
      ? `array['']`
      : `string_to_array(${this.#parameter(texts.join(separator))}, '${separator}')`
  }

  readonly #separator = rareSeparator()
}

/** Whether a time is what a clock of the audience's zone shows, or a moment. */
type Clock = 'wall' | 'moment'

/** SQL of a boundary; a statement must use the parameters that it names. */
type Edge = (clock: Clock) => string

/**
 * The days of the year, `MM-DD`, from today in a time zone on.
 *
 * @param more - days after today
 */
function anniversaries(now: string, timeZone: string, more: number): string[] {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const start = Date.parse(`${today.format(new Date(now))}T00:00:00Z`)
  const days = Array.from({ length: more + 1 }, (_, at) => new Date(start + at * 86_400_000).toISOString().slice(0, 10))
  return days.flatMap((day) => {
    const [year, ...rest] = day.split('-')
    const isLeapDayToo = rest.join('-') === '02-28' && new Date(`${year}-02-29T00:00:00Z`).getUTCDate() !== 29
    return isLeapDayToo ? ['02-28', '02-29'] : [rest.join('-')]
  })
}

function wrongType(
  { name, path }: { name: string; path: string },
  { type }: TableColumn,
  kind: string,
): CustomAttributesError {
  return invalid(name, path, `${JSON.stringify(name)} is of the type ${type}, which is no ${kind}.`)
}

function invalid(name: string, path: string, message: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_AUDIENCE', `audience.${path}: ${message}`, { name, path })
}
