#ifndef UNPACK_LIBRARY_H
#define UNPACK_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>

/*
 * Those functions of libarchive that are called, under their own names without
 * "archive_". The library and what it needs in turn (an XML parser, tables of
 * Unicode) take more time to load than a small push takes to scan: it is
 * loaded when there is something to unpack.
 */
#define UNPACK_FUNCTIONS(X) \
	X(entry_is_encrypted) \
	X(entry_pathname) \
	X(entry_pathname_utf8) \
	X(entry_symlink_utf8) \
	X(filter_bytes) \
	X(filter_count) \
	X(read_data_block) \
	X(read_free) \
	X(read_has_encrypted_entries) \
	X(read_new) \
	X(read_next_header) \
	X(read_open_memory) \
	X(read_support_filter_bzip2) \
	X(read_support_filter_gzip) \
	X(read_support_filter_lz4) \
	X(read_support_filter_lzma) \
	X(read_support_filter_xz) \
	X(read_support_filter_zstd) \
	X(read_support_format_7zip) \
	X(read_support_format_ar) \
	X(read_support_format_empty) \
	X(read_support_format_raw) \
	X(read_support_format_tar) \
	X(read_support_format_zip_seekable) \
	X(read_support_format_zip_streamable)

struct unpack_library {
/* declarations: NOLINTBEGIN(bugprone-macro-parentheses) */
#define UNPACK_FIELD(name) __typeof__(archive_##name) *name;
/* NOLINTEND(bugprone-macro-parentheses) */
	UNPACK_FUNCTIONS(UNPACK_FIELD)
#undef UNPACK_FIELD
};

/* The same for all threads, const after; NULL: it cannot be loaded, logged. */
const struct unpack_library *unpack_library(void);

#endif
