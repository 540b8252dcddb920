//! Serves ClickHouse's HTTP and native protocols out of `libchdb.so`.
//!
//! The library's `chdb_query_cmdline` is clickhouse-local, and clickhouse-local has ClickHouse's
//! own server inside: `SYSTEM START LISTEN` opens it, and a query that sleeps keeps it up. (The
//! library's other door, `chdb_connect`, refuses `SYSTEM START LISTEN`.) SIGTERM ends the process
//! at once: MergeTree makes a part visible by renaming it, so no end can tear a table.
#![allow(unsafe_code)] // the C interface of a library that is found at run time

use std::error::Error;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr::null_mut;

use clap::Parser;
use libloading::Library;

/// About five weeks of sleep: one block of one row every three seconds, the most ClickHouse allows.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
    SELECT sum(sleepEachRow(3)) FROM numbers(1000000) SETTINGS max_block_size = 1";

/// Serves ClickHouse on loopback until it is ended by a signal.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// ClickHouse's engine, libchdb.so
    #[arg(long, value_name = "FILE")]
    library: PathBuf,
    /// Folder of the tables; made if absent
    #[arg(long, value_name = "DIR")]
    data: String,
    /// Port of the HTTP protocol
    #[arg(long, value_name = "PORT")]
    http_port: u16,
    /// Port of the native protocol
    #[arg(long, value_name = "PORT")]
    tcp_port: u16,
    /// ClickHouse's configuration, XML or YAML; it may name a `users_config`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Args {
    /// The command line of clickhouse-local.
    fn command_line(&self) -> Vec<String> {
        let mut line = vec![
            "clickhouse-local".to_owned(),
            format!("--path={}", self.data),
            format!("--http_port={}", self.http_port),
            format!("--tcp_port={}", self.tcp_port),
            "--listen_host=127.0.0.1".to_owned(),
        ];
        line.extend(self.config.iter().map(|file| format!("--config-file={}", file.display())));
        line.extend(["--query".to_owned(), SERVE.to_owned()]);
        line
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    if let Some(file) = args.config.as_ref().filter(|file| !file.is_file()) {
        // clickhouse-local would go on without it.
        return Err(format!("there is no configuration file {}", file.display()).into());
    }
    // SAFETY: loading runs the library's initializers; it is ClickHouse's, made to be loaded so.
    let library = unsafe { Library::new(&args.library)? };
    Err(run(&library, args.command_line())?.into())
}

/// Runs clickhouse-local, and returns why it ended.
fn run(library: &Library, line: Vec<String>) -> Result<String, Box<dyn Error>> {
    let line = line.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>()?;
    let mut argv: Vec<*mut c_char> = line.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
    let argc = c_int::try_from(argv.len())?;
    argv.push(null_mut());

    // SAFETY: the signatures are those of chdb.h. `argv` has `argc` strings and the closing null
    // of a C `main`, and both it and `line` outlive the call. The result, and the error text
    // inside it, live until chdb_destroy_query_result, which is never called.
    unsafe {
        let query_cmdline = library
            .get::<unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void>(
                b"chdb_query_cmdline",
            )?;
        let result_error = library
            .get::<unsafe extern "C" fn(*mut c_void) -> *const c_char>(b"chdb_result_error")?;
        let result = query_cmdline(argc, argv.as_mut_ptr());
        let error = if result.is_null() { null_mut() } else { result_error(result).cast_mut() };
        Ok(if error.is_null() {
            "ClickHouse stopped serving".to_owned()
        } else {
            CStr::from_ptr(error).to_string_lossy().into_owned()
        })
    }
}
