package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A raw file descriptor. Calls may come from several threads at once. {@link #close} waits for the
 * calls under way, since the kernel reuses the number at once.
 */
final class Descriptor implements AutoCloseable {
  private final Path path;
  private final int fd;
  private final Lock using;
  private final Lock closing;
  private boolean closed;

  Descriptor(Path path, int fd) {
    this.path = path;
    this.fd = fd;
    ReadWriteLock lock = new ReentrantReadWriteLock();
    this.using = lock.readLock();
    this.closing = lock.writeLock();
  }

  /** A use of the number, which is valid until the method returns. */
  interface Use {
    long with(int fd) throws IOException;
  }

  Path path() {
    return path;
  }

  /** The result of the call; {@code -errno} when the call failed. */
  long call(Use use) throws IOException {
    using.lock();
    try {
      if (closed) {
        throw new IOException(path + ": already closed");
      }
      long result;
      do {
        result = use.with(fd);
      } while (Errno.EINTR.is(result));
      return result;
    } finally {
      using.unlock();
    }
  }

  /** The result of a call that has to succeed. */
  long check(String operation, Use use) throws IOException {
    return checked(operation, call(use));
  }

  long checked(String operation, long result) throws FileFailure {
    if (result < 0) {
      throw FileFailure.of((int) -result, path, operation);
    }
    return result;
  }

  @Override
  public void close() {
    closing.lock();
    try {
      if (!closed) {
        closed = true;
        var _ = Libc.close(fd); // A failed close loses no data: the syncs provide durability.
      }
    } finally {
      closing.unlock();
    }
  }
}
