import { type GetColumnData, getTableColumns, getTableName, type SQL, sql, type Table } from "drizzle-orm";

/** A table's columns as a query over several tables selects them. */
type ColumnsOf<T extends Table> = {
  [Key in keyof T["_"]["columns"]]: SQL.Aliased<GetColumnData<T["_"]["columns"][Key]>>;
};

/**
 * All columns of a table, each under a name of its own (`images.id`). D1 answers a batch with one object
 * a row, in which of two columns called `id` only one is left; drizzle does not rename them.
 */
export function columnsOf<T extends Table>(table: T): ColumnsOf<T> {
  const aliased = Object.entries(getTableColumns(table)).map(([key, column]) => {
    return [key, sql`${column}`.mapWith(column).as(`${getTableName(table)}.${column.name}`)];
  });
  return Object.fromEntries(aliased) as ColumnsOf<T>;
}
