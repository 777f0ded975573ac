/** A file as some program writes it, and what it says. */
export interface CsvFixture {
  name: string
  bytes: Uint8Array
  encoding: string
  delimiter: string
  headers: string[]
  /** the rows with at least one filled cell */
  rows: { row: number; line: number; record: string[] }[]
  warnings: string[]
}

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Text in UTF-16 with its byte order mark. */
export function utf16(text: string, order: 'le' | 'be'): Uint8Array {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

/** Bytes of a one-byte encoding, where every character has its code point's number. */
export const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const people = [
  { row: 2, line: 2, record: ['john@example.com', 'John', 'gold'] },
  { row: 3, line: 3, record: ['jane@example.com', 'Jané 😀', 'platinum'] },
]
const peopleHeaders = ['email', 'first_name', 'loyalty_tier']
const peopleText = (delimiter: string, lineEnd: string) =>
  [peopleHeaders, ...people.map(({ record }) => record)].map((cells) => cells.join(delimiter)).join(lineEnd) + lineEnd

export const CSV_FIXTURES: readonly CsvFixture[] = [
  {
    name: 'plain UTF-8',
    bytes: utf8(peopleText(',', '\n')),
    encoding: 'utf-8',
    delimiter: ',',
    headers: peopleHeaders,
    rows: people,
    warnings: [],
  },
  {
    name: 'UTF-8 with byte order mark and CRLF, as "CSV UTF-8" of Excel',
    bytes: utf8(`\ufeff${peopleText(';', '\r\n')}`),
    encoding: 'utf-8',
    delimiter: ';',
    headers: peopleHeaders,
    rows: people,
    warnings: [],
  },
  {
    name: 'UTF-16 LE with tabs, as "Unicode text" of Excel',
    bytes: utf16(peopleText('\t', '\r\n'), 'le'),
    encoding: 'utf-16le',
    delimiter: '\t',
    headers: peopleHeaders,
    rows: people,
    warnings: [],
  },
  {
    name: 'UTF-16 BE with old Macintosh line ends',
    bytes: utf16(peopleText('|', '\r'), 'be'),
    encoding: 'utf-16be',
    delimiter: '|',
    headers: peopleHeaders,
    rows: people,
    warnings: [],
  },
  {
    name: 'windows-1252, as an old Outlook writes it',
    bytes: latin1(
      '"First Name";"E-mail Address";"Preis \x80"\r\n"Jos\xe9";"jose@example.com";"\x84a\x93 \x96 5\xa0\x80"\r\n',
    ),
    encoding: 'windows-1252',
    delimiter: ';',
    headers: ['First Name', 'E-mail Address', 'Preis €'],
    rows: [{ row: 2, line: 2, record: ['José', 'jose@example.com', '„a“ – 5\u00a0€'] }],
    warnings: ['ENCODING_ASSUMED'],
  },
  {
    name: 'sep=; of Excel, with commas in the cells',
    bytes: utf8('sep=;\r\nname;email;note\r\nJohn;john@example.com;a,b,c,d,e\r\n'),
    encoding: 'utf-8',
    delimiter: ';',
    headers: ['name', 'email', 'note'],
    // A spreadsheet does not show the sep= line: its first row is the header.
    rows: [{ row: 2, line: 3, record: ['John', 'john@example.com', 'a,b,c,d,e'] }],
    warnings: [],
  },
  {
    name: 'LinkedIn connections: notes, a blank line, then the header',
    bytes: utf8(
      'Notes:\r\n' +
        '"When exporting your connection data, you may notice that some of the email addresses are missing. ' +
        'See ""settings"".\r\nThank you."\r\n' +
        '\r\n' +
        'First Name,Last Name,URL,Email Address,Company\r\n' +
        'John,Doe,https://x.example/in/john,john@example.com,"ACME, Inc."\r\n' +
        'Jane,Roe,https://x.example/in/jane,,\r\n',
    ),
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['First Name', 'Last Name', 'URL', 'Email Address', 'Company'],
    rows: [
      { row: 5, line: 6, record: ['John', 'Doe', 'https://x.example/in/john', 'john@example.com', 'ACME, Inc.'] },
      { row: 6, line: 7, record: ['Jane', 'Roe', 'https://x.example/in/jane', '', ''] },
    ],
    warnings: ['PREAMBLE_SKIPPED'],
  },
  {
    name: 'blank lines, rows of empty cells, cells over several lines, mixed line ends, no end of line at the end',
    bytes: utf8(
      '\n\r\nemail,note\n' + // line 3
        '\n' + // 4
        'a@example.com,"one\r\ntwo\nthree"\r\n' + // 5 to 7
        ',\r' + // 8
        ' ,\u00a0\r' + // 9
        '"b@example.com","say ""hi"""\n' + // 10
        'c@example.com,"""",\r\n' + // 11
        'd@example.com,"\r"\r\n' + // 12 to 13
        'e@example.com,"x\r\n\r\n"', // 14
    ),
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['email', 'note'],
    rows: [
      { row: 5, line: 5, record: ['a@example.com', 'one\r\ntwo\nthree'] },
      { row: 8, line: 10, record: ['b@example.com', 'say "hi"'] },
      { row: 9, line: 11, record: ['c@example.com', '"', ''] },
      { row: 10, line: 12, record: ['d@example.com', '\r'] },
      { row: 11, line: 14, record: ['e@example.com', 'x\r\n\r\n'] },
    ],
    warnings: [],
  },
  {
    name: 'rows of all lengths',
    bytes: utf8('email,a,b\nx@example.com\ny@example.com,1\nz@example.com,1,2,3,4\n'),
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['email', 'a', 'b'],
    rows: [
      { row: 2, line: 2, record: ['x@example.com'] },
      { row: 3, line: 3, record: ['y@example.com', '1'] },
      { row: 4, line: 4, record: ['z@example.com', '1', '2', '3', '4'] },
    ],
    warnings: [],
  },
  {
    name: 'one column',
    bytes: utf8('email\r\na@example.com\r\n\r\nb@example.com'),
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['email'],
    rows: [
      { row: 2, line: 2, record: ['a@example.com'] },
      { row: 4, line: 4, record: ['b@example.com'] },
    ],
    warnings: [],
  },
  {
    name: 'a header and nothing else',
    bytes: utf8('email,first_name'),
    encoding: 'utf-8',
    delimiter: ',',
    headers: ['email', 'first_name'],
    rows: [],
    warnings: [],
  },
]
