/** What is used of sql.js in the form that holds its WebAssembly (https://sql.js.org/documentation). */
declare module "sql.js/dist/sql-wasm-inline.js" {
  interface Database {
    exec(
      sql: string,
      values?: readonly unknown[],
    ): readonly { readonly values: readonly (readonly unknown[])[] }[];
    export(): Uint8Array;
    close(): void;
  }
  const initSqlJs: () => Promise<{ readonly Database: new (bytes: Uint8Array) => Database }>;
  export default initSqlJs;
}
