import { describe, expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'

const aliases = {
  email: ['Email Address', 'E-mail Address', 'E-mail 1 - Value'],
  first_name: ['FNAME', 'Given Name'],
  last_name: ['LNAME', 'Family Name', 'Surname'],
  phone: ['Phone Number', 'Mobile', 'Mobile Phone', 'Phone 1 - Value', 'SMS'],
  company: ['Company Name', 'Organization', 'Organization Name'],
  postal_code: ['ZIP', 'Zip Code', 'Postcode', 'Postal'],
  province: ['State', 'Region', 'State / Region'],
}

describe.each(Object.entries(aliases))('%s', (field, headers) => {
  test.each(headers)('is also called %s', (header) => {
    const mapping = mapColumns(field === 'email' ? [header] : ['email', header])
    expect(mapping.columns.at(-1)).toMatchObject({ target: { field }, reason: 'alias' })
  })
})

test('an alias counts only whole', () => {
  const headers = ['Mobile Phones', 'Statement', 'Home State', 'zipped', 'FNAME 2']
  expect(mapColumns(['email', ...headers]).custom).toEqual(headers)
})

test('an exact field name beats an alias, before or after it: the alias column is an attribute', () => {
  expect(mapColumns(['Email Address', 'email']).custom).toEqual(['Email Address'])
  expect(mapColumns(['email', 'Province', 'State'])).toMatchObject({
    standard: ['email', 'province'],
    custom: ['State'],
  })
})

test('a column that was given the field by hand beats the alias too', () => {
  const mapping = mapColumns(['email', 'Handy', 'Mobile'], { columns: { Handy: { field: 'phone' } } })
  expect(mapping).toMatchObject({ standard: ['email', 'phone'], custom: ['Mobile'] })
})

test('an alias takes the field when the exact column is skipped by hand', () => {
  const mapping = mapColumns(['email', 'phone', 'Mobile'], { columns: { phone: null } })
  expect(mapping.columns[2]).toMatchObject({ target: { field: 'phone' }, reason: 'alias' })
})
