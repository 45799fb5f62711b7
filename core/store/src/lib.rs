//! Storage: key-values, cells, logs and blobs over RocksDB
