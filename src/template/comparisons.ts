import type { Comparison } from './expression.js'
import { readDecimal } from './filters.js'
import { type Moment, readMoment } from './moments.js'
import { printValue } from './values.js'

/**
 * Makes the test of a section's value. A value that is missing, or that cannot be compared (a text beside a number), is
 * equal to nothing and neither above nor below.
 *
 * @param timeZone - in which a point in time has its day, where it is compared with a day
 */
export function makeComparison(
  { operator, value: typed, isQuoted }: Comparison,
  timeZone: string,
): (value: unknown) => boolean {
  if (operator === 'in') {
    const list = new Set(typed.split(',').map((entry) => entry.trim()))
    return (value) => list.has(printed(value) ?? '') && printed(value) !== undefined
  }
  if (operator === '=' || operator === '!=') {
    const isEqual =
      isQuoted || !/\d/.test(typed) ? (value: unknown) => printed(value) === typed.trim() : equalNumber(typed)
    return operator === '=' ? isEqual : (value) => !isEqual(value)
  }
  const decimal = readDecimal(undefined, typed)
  const order = decimal === undefined ? momentOrder(readMoment(typed)!, timeZone) : numberOrder(decimal)
  return (value) => {
    const sign = order(value)
    if (sign === undefined) return false
    if (operator === '>') return sign > 0
    if (operator === '>=') return sign >= 0
    return operator === '<' ? sign < 0 : sign <= 0
  }
}

function printed(value: unknown): string | undefined {
  return printValue(value)?.trim()
}

function equalNumber(typed: string): (value: unknown) => boolean {
  const order = numberOrder(typed)
  return (value) => order(value) === 0
}

const WHOLE = /^-?\d+$/

function numberOrder(bound: string): (value: unknown) => number | undefined {
  return (value) => {
    const text = printValue(value)
    const decimal = text === undefined ? undefined : readDecimal(value, text)
    if (decimal === undefined) return undefined
    // Whole numbers of more digits than a number holds.
    const isWhole = WHOLE.test(decimal) && WHOLE.test(bound)
    return isWhole ? Number(BigInt(decimal) - BigInt(bound)) : Number(decimal) - Number(bound)
  }
}

function momentOrder(bound: Moment, timeZone: string): (value: unknown) => number | undefined {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  return (value) => {
    const moment = readMoment(value)
    if (moment === undefined) return undefined
    if (!bound.isDay) return moment.time - bound.time
    const time = moment.isZoned ? Date.parse(`${day.format(moment.time)}T00:00:00Z`) : moment.time
    return Math.floor(time / 86_400_000) * 86_400_000 - bound.time
  }
}
