package io.quarry.agent.data.nbd;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A blocking unix-domain socket. One thread reads, and one thread at a time writes. */
final class NbdSocket implements Closeable {
  private final Path path;
  private final SocketChannel channel;
  private final ByteBuffer small = ByteBuffer.allocateDirect(32);

  private NbdSocket(Path path, SocketChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  static NbdSocket connect(Path path) throws IOException {
    return new NbdSocket(path, SocketChannel.open(UnixDomainSocketAddress.of(path)));
  }

  Path path() {
    return path;
  }

  void write(ByteBuffer... buffers) throws IOException {
    long left = 0;
    for (ByteBuffer buffer : buffers) {
      left += buffer.remaining();
    }
    while (left > 0) {
      left -= channel.write(buffers);
    }
  }

  void readFully(ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (channel.read(into) < 0) {
        throw new EOFException(path + ": the server closed the connection");
      }
    }
  }

  int readInt() throws IOException {
    return readSmall(Integer.BYTES).getInt();
  }

  long readLong() throws IOException {
    return readSmall(Long.BYTES).getLong();
  }

  int readUnsignedShort() throws IOException {
    return Short.toUnsignedInt(readSmall(Short.BYTES).getShort());
  }

  String readText(int length) throws IOException {
    return StandardCharsets.UTF_8.decode(read(length, NbdProtocol.TEXT_BYTES_MAX)).toString();
  }

  /** Reads a message whose length the server named. */
  ByteBuffer read(int length, int limit) throws IOException {
    if (length < 0 || length > limit) {
      throw new IOException(
          path
              + ": the server sends "
              + Integer.toUnsignedString(length)
              + " bytes, more than "
              + limit);
    }
    ByteBuffer buffer = ByteBuffer.allocate(length);
    readFully(buffer);
    return buffer.flip();
  }

  private ByteBuffer readSmall(int length) throws IOException {
    small.clear().limit(length);
    readFully(small);
    return small.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
