// What a text is, as regular expressions of PostgreSQL: an attribute is a text, and one that only looks like a number or a
// day must not end the statement that compares it.

const YEAR = '(?!0000)[0-9]{4}'
const LEAP_YEAR = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)'
const DAY =
  `(${YEAR}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|${YEAR}-(0[469]|11)-(0[1-9]|[12][0-9]|30)` +
  `|${YEAR}-02-(0[1-9]|1[0-9]|2[0-8])|(?!0000)${LEAP_YEAR}-02-29)`
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?'
const ZONE = ' ?(Z|UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)'

/** A number that PostgreSQL's `numeric` takes. For `~*`. */
export const NUMBER_PATTERN = '^[+-]?([0-9]{1,255}([.][0-9]{0,255})?|[.][0-9]{1,255})(e[+-]?[0-9]{1,3})?$'

/** A day, or a day and a time without a zone, ISO 8601. For `~*`. */
export const WALL_PATTERN = `^${DAY}([T ]${TIME})?$`

/** A moment, ISO 8601. For `~*`. */
export const ZONED_PATTERN = `^${DAY}[T ]${TIME}${ZONE}$`
