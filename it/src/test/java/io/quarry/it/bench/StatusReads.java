package io.quarry.it.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Reads one status over open connections, each request after the last answer. The reader uses plain
 * sockets, so that it takes less processor time than the server; both share two cores.
 */
final class StatusReads implements AutoCloseable {
  private static final int ANSWER_BYTES_MAX = 16 << 10;

  private final URI agent;
  private final byte[] request;
  private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

  StatusReads(URI agent, String repoId, String imageId) {
    this.agent = agent;
    this.request =
        "GET /v1/repositories/%s/images/%s/status HTTP/1.1\r\nHost: %s\r\n\r\n"
            .formatted(repoId, imageId, agent.getAuthority())
            .getBytes(StandardCharsets.US_ASCII);
  }

  double perSecond(int connections, long seconds) throws Exception {
    ThreadLocal<Connection> mine = ThreadLocal.withInitial(this::connect);
    return Load.perSecond(connections, seconds, () -> mine.get().read(request));
  }

  private Connection connect() {
    try {
      Socket socket = new Socket(agent.getHost(), agent.getPort());
      socket.setTcpNoDelay(true);
      sockets.add(socket);
      return new Connection(socket.getInputStream(), socket.getOutputStream());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static final class Connection {
    private final InputStream in;
    private final OutputStream out;
    private final byte[] buffer = new byte[ANSWER_BYTES_MAX];

    Connection(InputStream in, OutputStream out) {
      this.in = in;
      this.out = out;
    }

    /** Reads one answer, which ends with the closing brace of its outermost object. */
    void read(byte[] request) throws IOException {
      out.write(request);
      int filled = 0;
      while (filled < buffer.length) {
        int more = in.read(buffer, filled, buffer.length - filled);
        if (more < 0) {
          throw new IOException("the agent closed the connection");
        }
        filled += more;
        if (buffer[filled - 1] == '}') {
          break;
        }
      }
      String start = new String(buffer, 0, 12, StandardCharsets.US_ASCII);
      if (!start.equals("HTTP/1.1 200")) {
        throw new IOException("unexpected answer " + start);
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
