package io.quarry.agent.data.nbd;

import io.quarry.agent.data.process.Child;
import io.quarry.agent.data.process.Children;
import io.quarry.coordinator.thread.Deadline;
import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A {@code qemu-nbd} server for one image. The first connection keeps the server alive, since the
 * server ends with its last client.
 */
public final class QemuNbd implements Closeable {
  /** The kernel's limit for the path of a unix-domain socket, less its final zero. */
  private static final int SOCKET_PATH_BYTES_MAX = 107;

  /** Opening a long chain on slow storage is slow. */
  private static final Duration START_DEADLINE = Duration.ofSeconds(60);

  private static final Duration TIDY_DEADLINE = Duration.ofSeconds(10);
  private static final long CONNECT_AGAIN_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(20);

  private static final List<String> CONTEXTS = List.of(BlockStatus.ALLOCATION, BlockStatus.DEPTH);

  // A second server takes over a living server's socket without an error. So no name is used twice.
  private static final AtomicLong SOCKETS = new AtomicLong();

  private final Child server;
  private final Path socket;
  private final NbdClient client;
  private final boolean writable;

  private QemuNbd(Child server, Path socket, NbdClient client, boolean writable) {
    this.writable = writable;
    this.server = server;
    this.socket = socket;
    this.client = client;
  }

  /**
   * Starts a server and waits until the server answers.
   *
   * @param runtimeDirectory for its socket; local, and with a short name
   */
  public static QemuNbd start(Children children, Path runtimeDirectory, ServedImage image)
      throws IOException, InterruptedException {
    image.chain().requireFiles();
    Path socket =
        runtimeDirectory.resolve(
            "nbd-" + ProcessHandle.current().pid() + "-" + SOCKETS.incrementAndGet());
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length > SOCKET_PATH_BYTES_MAX) {
      throw new IOException(socket + ": longer than " + SOCKET_PATH_BYTES_MAX + " bytes");
    }
    try (WatchService arrivals = runtimeDirectory.getFileSystem().newWatchService()) {
      runtimeDirectory.register(arrivals, StandardWatchEventKinds.ENTRY_CREATE);
      Child server = children.start(image.command(socket));
      try {
        var _ = server.onExit().thenRun(() -> closeQuietly(arrivals));
        awaitSocket(arrivals, socket);
        return new QemuNbd(server, socket, connectFirst(server, socket), image.writable());
      } catch (IOException | ClosedWatchServiceException e) {
        IOException failure = failure(server, e);
        stop(server, socket);
        throw failure;
      } catch (InterruptedException e) {
        stop(server, socket);
        throw e;
      }
    }
  }

  /** The connection that was made with the server. */
  public NbdClient client() {
    return client;
  }

  /** Makes one more connection, as many as the image allows; the caller closes it. */
  public NbdClient connect() throws IOException, InterruptedException {
    return NbdClient.connect(socket, CONTEXTS, START_DEADLINE);
  }

  public long pid() {
    return server.pid();
  }

  /**
   * Ends the server and waits until the process is gone. Closing is no flush, but a server of a
   * writable image gets the time to finish its metadata. The caller closes other connections
   * before.
   *
   * @throws IOException if the process is still there
   */
  @Override
  public void close() throws IOException {
    client.close();
    if (writable) {
      try {
        var _ = server.awaitExit(TIDY_DEADLINE);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    stop(server, socket);
  }

  /** The socket has its name a moment before the server listens. */
  private static NbdClient connectFirst(Child server, Path socket)
      throws IOException, InterruptedException {
    Deadline end = Deadline.after(START_DEADLINE);
    while (true) {
      try {
        return NbdClient.connect(socket, CONTEXTS, START_DEADLINE);
      } catch (ConnectException e) {
        if (!server.isAlive() || end.passed()) {
          throw e;
        }
        LockSupport.parkNanos(CONNECT_AGAIN_NANOS);
      }
    }
  }

  private static void awaitSocket(WatchService arrivals, Path socket)
      throws IOException, InterruptedException {
    Deadline end = Deadline.after(START_DEADLINE);
    while (!Files.exists(socket)) {
      WatchKey key = arrivals.poll(end.remainingNanos(), TimeUnit.NANOSECONDS);
      if (key == null) {
        throw new IOException(socket + ": no server within " + START_DEADLINE);
      }
      key.pollEvents();
      key.reset();
    }
  }

  /** The server's error output tells more than the broken connection. */
  private static IOException failure(Child server, Exception cause) throws IOException {
    try {
      if (server.awaitExit(Duration.ofSeconds(1))) {
        IOException failure = server.failure("ended before it was ready");
        failure.addSuppressed(cause);
        return failure;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return cause instanceof IOException io ? io : new IOException("no server", cause);
  }

  private static void stop(Child server, Path socket) throws IOException {
    server.kill();
    boolean interrupted = false;
    boolean gone = false;
    while (!gone) {
      try {
        gone = server.awaitExit(STOP_DEADLINE);
        if (!gone) {
          throw new IOException(server + ": killed, and not gone within " + STOP_DEADLINE);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(socket);
  }

  private static void closeQuietly(WatchService arrivals) {
    try {
      arrivals.close();
    } catch (IOException e) {
      // The waiting thread then ends at its deadline.
      return;
    }
  }
}
