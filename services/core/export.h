/* export.h: an organisation's data on its way out, as the rpc of each service that has some.
 *
 * The service brings two statements, BeginExport.sql and ReadExport.sql, and names export_run() as the handler of its
 * rpc; which tables it exports is BeginExport's business. docs/export.md says what is promised. */
#ifndef ISMS_CORE_EXPORT_H
#define ISMS_CORE_EXPORT_H

#include <isms/rpc/stream.h>

rpc_stream_run export_run;

#endif
