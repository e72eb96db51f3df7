/**
 * The command line of the embedded server. Safe with data (fsync stays on), sized for a laptop or a small machine.
 * The log holds what happens to the server, never statements or values: errors of statements go to the program alone.
 */
export function serverArguments(cluster: string, socketDirectory: string): readonly string[] {
  const settings = {
    cluster_name: 'millrace',
    listen_addresses: '',
    port: '5432',
    // The value is a list; quotes keep blanks and commas of a path from being read as separators.
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: '200',
    shared_buffers: '256MB',
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    fsync: 'on',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    // The packages' builds have neither lz4 nor zstd.
    wal_compression: 'pglz',
    random_page_cost: '1.1',
    jit: 'off',
    // A query whose program was killed ends soon, and lets go of the memory a new server needs.
    client_connection_check_interval: '5s',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  }
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
