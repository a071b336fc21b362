"use strict";
// Files of exactly the rows and columns that are shown. A score becomes four columns: its mean, the
// ends of its interval, and its number of trials; a rank becomes three.

const numeric = (text) => (text === undefined || text === "" ? null : Number(text));

/** One column of a file per value of a cell: name, parquet type, and the value of a row's cell. */
function fileColumns(field, kind) {
  const plain = { name: field, type: "STRING", of: (cell) => cell.dataset.v || null };
  if (kind === "text") return [plain];
  const number = { name: field, type: "DOUBLE", of: (cell) => numeric(cell.dataset.v) };
  const low = { name: `${field}_low`, type: "DOUBLE", of: (cell) => numeric(cell.dataset.low) };
  const high = { name: `${field}_high`, type: "DOUBLE", of: (cell) => numeric(cell.dataset.high) };
  const n = { name: `${field}_trials`, type: "DOUBLE", of: (cell) => numeric(cell.dataset.n) };
  if (kind === "score") return [number, low, high, n];
  return field === "rank" ? [number, low, high] : [number];
}

const csvCell = (value) => {
  if (value === null) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const writers = {
  csv: (columns) => {
    const lines = [columns.map((column) => csvCell(column.name)).join(",")];
    const count = columns[0].data.length;
    for (let row = 0; row < count; row++) {
      lines.push(columns.map((column) => csvCell(column.data[row])).join(","));
    }
    return new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
  },
  json: (columns) => {
    const rows = columns[0].data.map((_, row) =>
      Object.fromEntries(columns.map((column) => [column.name, column.data[row]])),
    );
    return new Blob([JSON.stringify(rows, null, 1), "\n"], { type: "application/json" });
  },
  parquet: (columns) => {
    const columnData = columns.map(({ name, type, data }) => ({ name, type, data, nullable: true }));
    const buffer = hyparquetWriter.parquetWriteBuffer({ columnData });
    return new Blob([buffer], { type: "application/vnd.apache.parquet" });
  },
};

/**
 * Save a table as a file.
 * @param {"csv" | "json" | "parquet"} format
 * @param {HTMLTableRowElement[]} rows in their order
 * @param {{name: string, kind: string, index: number}[]} fields columns that are shown
 */
function download(format, rows, fields) {
  const columns = fields.flatMap(({ name, kind, index }) =>
    fileColumns(name, kind).map((column) => ({
      name: column.name,
      type: column.type,
      data: rows.map((row) => column.of(row.cells[index])),
    })),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(writers[format](columns));
  link.download = `motifidelity.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
