package io.quarry.it.blocks;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A disk with a volatile cache, for several hosts: what no host has flushed is in memory alone. A
 * power cut keeps any of those sectors, and loses the others.
 */
final class VolatileDisk implements Closeable {
  private static final int SECTOR = 512;

  private final FileChannel durable;
  private final Path socket;
  private final ServerSocketChannel listening;
  private final Map<Long, byte[]> cache = new HashMap<>();
  private final Set<SocketChannel> connections = new HashSet<>();
  private boolean powered = true;
  private boolean ending;

  VolatileDisk(Path image, Path socket) throws IOException {
    this.durable = FileChannel.open(image, READ, WRITE);
    this.socket = socket;
    this.listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listening.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofPlatform().daemon().start(this::accept);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel connection = listening.accept();
        synchronized (this) {
          connections.add(connection);
        }
        Thread.ofPlatform().daemon().start(() -> serve(connection));
      }
    } catch (IOException e) {
      // The listener was closed.
    }
  }

  private void serve(SocketChannel connection) {
    try (connection) {
      new NbdServer(this, connection).run();
    } catch (IOException e) {
      // The client is gone, or the power.
    }
    synchronized (this) {
      connections.remove(connection);
    }
  }

  long size() throws IOException {
    return durable.size();
  }

  synchronized void read(long offset, byte[] into) throws IOException {
    requirePower();
    ByteBuffer buffer = ByteBuffer.wrap(into);
    while (buffer.hasRemaining()) {
      durable.read(buffer, offset + buffer.position());
    }
    for (int at = 0; at < into.length; at += SECTOR) {
      byte[] cached = cache.get(offset + at);
      if (cached != null) {
        System.arraycopy(cached, 0, into, at, SECTOR);
      }
    }
  }

  synchronized void write(long offset, byte[] from) throws IOException {
    requirePower();
    for (int at = 0; at < from.length; at += SECTOR) {
      byte[] sector = new byte[SECTOR];
      System.arraycopy(from, at, sector, 0, SECTOR);
      cache.put(offset + at, sector);
    }
    if (ending) {
      powered = false;
      notifyAll();
    }
    requirePower();
  }

  synchronized void flush() throws IOException {
    requirePower();
    for (Map.Entry<Long, byte[]> each : cache.entrySet()) {
      keep(each.getKey(), each.getValue());
    }
    cache.clear();
  }

  private void keep(long offset, byte[] sector) throws IOException {
    durable.write(ByteBuffer.wrap(sector), offset);
  }

  private void requirePower() throws IOException {
    if (!powered) {
      throw new IOException("no power");
    }
  }

  /**
   * Ends all connections in the middle of the next write.
   *
   * @return how many sectors were lost
   */
  synchronized int cutPower(Random random) throws IOException, InterruptedException {
    ending = true;
    while (powered) {
      wait();
    }
    int lost = 0;
    for (Map.Entry<Long, byte[]> each : cache.entrySet()) {
      if (random.nextBoolean()) {
        keep(each.getKey(), each.getValue());
      } else {
        lost++;
      }
    }
    cache.clear();
    for (SocketChannel connection : connections) {
      connection.close();
    }
    return lost;
  }

  /** The disk comes back with what is durable. */
  synchronized void restorePower() {
    ending = false;
    powered = true;
  }

  @Override
  public void close() {
    try {
      listening.close();
      synchronized (this) {
        powered = false;
        for (SocketChannel connection : connections) {
          connection.close();
        }
      }
      durable.close();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
