import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** The account of all benchmarks. */
export const ACCOUNT = '11111111-1111-4111-8111-111111111111'

/** The standard fields of the benchmark's file. */
export const FIELDS = ['email', 'first_name', 'last_name', 'phone', 'company', 'city', 'country']

/** Its custom attributes. */
export const ATTRIBUTES = ['loyalty_tier', 'plan', 'signup_source', 'favorite_color', 'last_visit']

const FIRST = [
  'Anna',
  'Björn',
  'Chloé',
  'Dmitri',
  'Eve',
  'Fatima',
  'Giulia',
  'Hiroshi',
  'Inés',
  'Jürgen',
  'Kofi',
  'Léa',
]
const LAST = [
  'Smith',
  'Müller',
  'García',
  'Novák',
  'Rossi',
  'Tanaka',
  'Okafor',
  "O'Brien",
  'Dubois',
  'Kowalski',
  'Silva',
]
const CITY = ['Berlin', 'Paris', 'New York', 'São Paulo', 'Tokyo', 'Lagos', 'Warszawa', 'Roma', 'Madrid', 'Praha']
const COUNTRY = ['DE', 'FR', 'US', 'BR', 'JP', 'NG', 'PL', 'IT', 'ES', 'CZ']
const TIER = ['bronze', 'silver', 'gold', 'platinum']
const PLAN = ['free', 'pro', 'team', 'enterprise']
const SOURCE = ['newsletter', 'shop', 'referral', 'event', 'ads']
const COLOR = ['red', 'green', 'blue', 'yellow', 'black', 'white']

/** Writes a CSV of made-up customers: 12 columns, about 110 bytes a row, the same for the same number of rows. */
export async function writeCustomersCsv(file: string, rows: number): Promise<void> {
  const out = createWriteStream(file)
  out.write(`${[...FIELDS, ...ATTRIBUTES].join(',')}\n`)
  let seed = 42
  const pick = (list: readonly string[]): string => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return list[seed % list.length]!
  }
  let text = ''
  for (let row = 0; row < rows; row++) {
    const first = pick(FIRST)
    const last = pick(LAST)
    // A multiplication by an odd number spreads the emails over the index, as in a real customer file.
    const number = Math.imul(row, 2654435761) >>> 0
    text += `user${number}@example.com,${first},${last},+49${1_000_000_000 + row},"${last}, ${first} & Co",${pick(CITY)},${pick(COUNTRY)},`
    text += `${pick(TIER)},${pick(PLAN)},${pick(SOURCE)},${pick(COLOR)},2026-${String((row % 12) + 1).padStart(2, '0')}-${String((row % 28) + 1).padStart(2, '0')}\n`
    if (text.length > 1 << 16) {
      if (!out.write(text)) await once(out, 'drain')
      text = ''
    }
  }
  out.end(text)
  await once(out, 'finish')
}
