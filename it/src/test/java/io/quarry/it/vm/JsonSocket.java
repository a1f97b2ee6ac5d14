package io.quarry.it.vm;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.Json;
import io.quarry.coordinator.thread.Deadline;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Lines of JSON over a socket of QEMU, as its monitor and its guest agent speak. One thread at a
 * time.
 */
final class JsonSocket implements Closeable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final Path path;
  private final SocketChannel channel;
  private final Selector selector;
  private final ByteBuffer received = ByteBuffer.allocate(BUFFER_BYTES).flip();

  /** Throws when nothing listens there yet. */
  JsonSocket(Path path) throws IOException {
    this.path = path;
    this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(path));
      channel.configureBlocking(false);
      this.selector = Selector.open();
      channel.register(selector, SelectionKey.OP_READ);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  void send(JsonNode message, Deadline deadline) throws IOException {
    ByteBuffer line = ByteBuffer.wrap((message + "\n").getBytes(StandardCharsets.UTF_8));
    channel.keyFor(selector).interestOps(SelectionKey.OP_WRITE);
    try {
      while (line.hasRemaining()) {
        awaitReady(deadline);
        channel.write(line);
      }
    } finally {
      channel.keyFor(selector).interestOps(SelectionKey.OP_READ);
    }
  }

  /** The next line. The guest agent begins some lines with a byte that is in no JSON. */
  JsonNode receive(Deadline deadline) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      while (received.hasRemaining()) {
        byte next = received.get();
        if (next == '\n') {
          return Json.MAPPER.readTree(line.toByteArray());
        }
        if (next == (byte) 0xff) {
          line.reset();
        } else {
          line.write(next);
        }
      }
      awaitReady(deadline);
      received.clear();
      int bytes = channel.read(received);
      received.flip();
      if (bytes < 0) {
        throw new EOFException(path + ": QEMU has closed it");
      }
    }
  }

  private void awaitReady(Deadline deadline) throws IOException {
    selector.selectedKeys().clear();
    // 0 would wait without an end.
    long millis = TimeUnit.NANOSECONDS.toMillis(deadline.remainingNanos());
    if (deadline.passed() || selector.select(Math.max(1, millis)) == 0) {
      throw new IOException(path + ": no answer in time");
    }
  }

  @Override
  public void close() throws IOException {
    selector.close();
    channel.close();
  }
}
