/** A table as CSV (RFC 4180), with a line of its columns' names before it. */
export function renderCsv(columns: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(renderField).join(",")}\r\n`).join("");
}

/** What a spreadsheet would calculate gets a quote before it, as OWASP's page on CSV injection says. */
function renderField(value: string | number | null): string {
  if (value === null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
