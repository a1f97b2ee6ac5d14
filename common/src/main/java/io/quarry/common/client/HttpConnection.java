package io.quarry.common.client;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One connection, used by one thread at a time. */
final class HttpConnection {
  private static final int BUFFER_BYTES = 16 << 10;
  private static final int SEND_BYTES = 256 << 10;
  private static final int LINE_BYTES_MAX = 16 << 10;
  private static final int HEADERS_MAX = 200;

  /** A page of 1000 images with 64 KiB of userData each, and some reserve. */
  private static final int RESPONSE_BYTES_MAX = 128 << 20;

  private final SocketChannel channel;
  private final InputStream input;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int limit;
  private boolean reusable = true;
  private long idleSince = System.nanoTime();

  private HttpConnection(SocketChannel channel) throws IOException {
    this.channel = channel;
    this.input = channel.socket().getInputStream();
  }

  static HttpConnection open(String host, int port, Duration timeout) throws IOException {
    InetSocketAddress address = new InetSocketAddress(unbracketed(host), port);
    if (address.isUnresolved()) {
      throw new UnknownHostException("there is no host " + host);
    }
    SocketChannel channel = SocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.socket().connect(address, (int) Math.max(1, timeout.toMillis()));
      return new HttpConnection(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** Whether the server takes more requests on this connection. */
  boolean reusable() {
    return reusable && position == limit;
  }

  boolean fresh(Duration idleMax) {
    return System.nanoTime() - idleSince <= idleMax.toNanos();
  }

  /** Whether a kept connection is fresh, and the server has not closed it meanwhile. */
  boolean usable(Duration idleMax) {
    if (!fresh(idleMax)) {
      return false;
    }
    try {
      channel.configureBlocking(false);
      return channel.read(ByteBuffer.wrap(buffer, 0, 1)) == 0;
    } catch (IOException e) {
      return false;
    }
  }

  void write(byte[] head, byte @Nullable [] body, long deadline) throws IOException {
    if (channel.isBlocking()) {
      channel.configureBlocking(false);
    }
    if (body == null || body.length <= BUFFER_BYTES) {
      byte[] rest = body == null ? new byte[0] : body;
      write(ByteBuffer.allocate(head.length + rest.length).put(head).put(rest).flip(), deadline);
    } else {
      write(ByteBuffer.wrap(head), deadline);
      write(ByteBuffer.wrap(body), deadline);
    }
    channel.configureBlocking(true);
  }

  private void write(ByteBuffer bytes, long deadline) throws IOException {
    int end = bytes.limit();
    while (sendSome(bytes, end) && bytes.position() < end) {
      // The server takes the bytes as they come.
    }
    if (bytes.position() < end) {
      writeRest(bytes, end, deadline);
    }
  }

  /** Whether the server took all offered bytes. Each write first copies that many. */
  private boolean sendSome(ByteBuffer bytes, int end) throws IOException {
    bytes.limit(Math.min(end, bytes.position() + SEND_BYTES));
    channel.write(bytes);
    return !bytes.hasRemaining();
  }

  /** A blocking write has no timeout, and the server may have stopped reading. */
  private void writeRest(ByteBuffer bytes, int end, long deadline) throws IOException {
    try (Selector selector = Selector.open()) {
      channel.register(selector, SelectionKey.OP_WRITE);
      while (bytes.position() < end) {
        if (!sendSome(bytes, end)) {
          selector.select(JsonHttp.millisUntil(deadline));
          selector.selectedKeys().clear();
          if (Thread.currentThread().isInterrupted()) {
            throw new IOException("interrupted");
          }
        }
      }
    }
  }

  JsonHttp.Outcome.Answered read(long deadline) throws IOException {
    Head head = head(deadline);
    byte[] body = body(head.status(), head.headers(), deadline);
    reusable &= !head.headers().close;
    idleSince = System.nanoTime();
    return new JsonHttp.Outcome.Answered(head.status(), head.headers().all, body);
  }

  /**
   * Reads the head of a streamed answer. Returns null for a stream, and otherwise the whole answer.
   */
  JsonHttp.Outcome.@Nullable Answered readStreamHead(long deadline) throws IOException {
    Head head = head(deadline);
    if (head.status() == 200 && head.headers().chunked) {
      return null;
    }
    byte[] body = body(head.status(), head.headers(), deadline);
    return new JsonHttp.Outcome.Answered(head.status(), head.headers().all, body);
  }

  /** The next piece of a streamed answer; empty at its end. */
  byte[] readPiece(long deadline) throws IOException {
    byte[] piece = bytes(pieceLength(deadline), deadline);
    line(deadline);
    return piece;
  }

  private long pieceLength(long deadline) throws IOException {
    String line = line(deadline);
    int semicolon = line.indexOf(';');
    return number(semicolon < 0 ? line : line.substring(0, semicolon), 16);
  }

  private record Head(int status, Headers headers) {}

  private Head head(long deadline) throws IOException {
    int status;
    Headers headers;
    do {
      status = status(line(deadline));
      headers = headers(deadline);
    } while (status < 200);
    return new Head(status, headers);
  }

  private static int status(String line) throws IOException {
    if (!line.startsWith("HTTP/1.") || line.length() < 12) {
      throw new IOException("this is not an HTTP answer");
    }
    try {
      return Integer.parseInt(line.substring(9, 12));
    } catch (NumberFormatException e) {
      throw new IOException("this is not an HTTP answer", e);
    }
  }

  private static final class Headers {
    private long length = -1;
    private boolean chunked;
    private boolean close;
    private final Map<String, String> all = new HashMap<>();
  }

  private Headers headers(long deadline) throws IOException {
    Headers headers = new Headers();
    for (int i = 0; i < HEADERS_MAX; i++) {
      String line = line(deadline);
      if (line.isEmpty()) {
        return headers;
      }
      int colon = line.indexOf(':');
      String name = line.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT);
      String text = line.substring(colon + 1).strip();
      headers.all.put(name, text);
      String value = text.toLowerCase(Locale.ROOT);
      switch (name) {
        case "content-length" -> headers.length = number(value, 10);
        case "transfer-encoding" -> headers.chunked = value.contains("chunked");
        case "connection" -> headers.close = value.contains("close");
        default -> {}
      }
    }
    throw new IOException("more than " + HEADERS_MAX + " headers");
  }

  private byte[] body(int status, Headers headers, long deadline) throws IOException {
    if (status == 204 || status == 304) {
      return new byte[0];
    }
    if (headers.chunked) {
      return chunks(deadline);
    }
    if (headers.length >= 0) {
      return bytes(headers.length, deadline);
    }
    throw new IOException("an answer without a length");
  }

  private byte[] chunks(long deadline) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      long length = pieceLength(deadline);
      if (length == 0) {
        headers(deadline);
        return body.toByteArray();
      }
      if (body.size() + length > RESPONSE_BYTES_MAX) {
        throw new IOException("an answer of more than " + RESPONSE_BYTES_MAX + " bytes");
      }
      body.writeBytes(bytes(length, deadline));
      line(deadline);
    }
  }

  private byte[] bytes(long length, long deadline) throws IOException {
    if (length > RESPONSE_BYTES_MAX) {
      throw new IOException("an answer of more than " + RESPONSE_BYTES_MAX + " bytes");
    }
    byte[] bytes = new byte[(int) length];
    int buffered = Math.min(bytes.length, limit - position);
    System.arraycopy(buffer, position, bytes, 0, buffered);
    position += buffered;
    int filled = buffered;
    while (filled < bytes.length) {
      filled += receive(bytes, filled, bytes.length - filled, deadline);
    }
    return bytes;
  }

  private String line(long deadline) throws IOException {
    byte[] line = new byte[0];
    while (true) {
      for (int i = position; i < limit; i++) {
        if (buffer[i] == '\n') {
          byte[] whole = joined(line, i);
          position = i + 1;
          int end = whole.length > 0 && whole[whole.length - 1] == '\r' ? 1 : 0;
          return new String(whole, 0, whole.length - end, StandardCharsets.ISO_8859_1);
        }
      }
      line = joined(line, limit);
      if (line.length > LINE_BYTES_MAX) {
        throw new IOException("a header of more than " + LINE_BYTES_MAX + " bytes");
      }
      position = 0;
      limit = 0;
      limit = receive(buffer, 0, buffer.length, deadline);
    }
  }

  private byte[] joined(byte[] line, int end) {
    byte[] joined = Arrays.copyOf(line, line.length + end - position);
    System.arraycopy(buffer, position, joined, line.length, end - position);
    return joined;
  }

  private int receive(byte[] into, int offset, int length, long deadline) throws IOException {
    channel.socket().setSoTimeout(JsonHttp.millisUntil(deadline));
    int received = input.read(into, offset, length);
    if (received < 0) {
      throw new EOFException("the connection was closed");
    }
    return received;
  }

  private static long number(String text, int radix) throws IOException {
    try {
      long number = Long.parseLong(text.strip(), radix);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new IOException("a length of \"" + text + "\"", e);
    }
    throw new IOException("a length of " + text);
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The connection is gone either way.
    }
  }
}
