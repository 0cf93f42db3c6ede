"""Search texts, files and objects for plaintexts, in all encodings in which they can occur."""
