import { describe, expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'

const cases = {
  blank: ['', ' ', '\t', '\u00a0'],
  reserved: ['id', 'ID', 'account_id', 'Account ID', 'created_at', 'Created At', 'updated_at', 'custom_attributes'],
  rejected_rows: ['error_code', 'error_message', 'ERROR_CODE'],
  sensitive: [
    'password',
    'Password',
    'passwd',
    'password_hash',
    'rp_token',
    'reset_password_token',
    'api_key',
    'API Key',
    'access_token',
    'encrypted_password',
    'private_key',
  ],
}

describe.each(Object.entries(cases))('%s', (reason, headers) => {
  test.each(headers)('%j is left out and told', (header) => {
    const mapping = mapColumns(['email', header])
    expect(mapping).toMatchObject({ standard: ['email'], custom: [] })
    expect(mapping.ignored).toEqual([{ header: header.trim(), position: 2, reason }])
  })
})

test.each(['rp_token_created_at', 'password hint', 'Error', 'identity', 'tokens left'])(
  '%s is an attribute: only whole names are left out',
  (header) => {
    expect(mapColumns(['email', header]).custom).toEqual([header])
  },
)

test('any number of blank headers is fine: they are not duplicates', () => {
  const { ignored } = mapColumns(['email', '', '', ' '])
  expect(ignored.map(({ position }) => position)).toEqual([2, 3, 4])
})
