-- The search index: made from the main database, and made anew by `npm run admin -- rebuild-search`. It stands in
-- a database of its own because D1 exports none that has virtual tables.
CREATE TABLE documents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  UNIQUE (kind, subject)
);
--> statement-breakpoint
-- The row of a document has its id. Of each text only the words are kept. `parts`: ends of the words of names, so that
-- a prefix finds any part. `facts`: what it is and who may see it, as words (worker/registry/search/facts.ts).
-- `prefix` doubles the size (0.5 KB a document to 0.9): without it two to four letters that begin 10,000 words take 1.5 s
-- among 100,000 documents, with it 50 ms.
CREATE VIRTUAL TABLE document_text USING fts5(
  names, parts, description, topics, labels, definition, facts,
  content = '',
  contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2',
  prefix = '2 3 4'
);
