/** tsup and the test runner load `.sql` files as text. */
declare module '*.sql' {
  const text: string
  export default text
}
