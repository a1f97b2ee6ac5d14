package io.quarry.common.client;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * JSON over HTTP/1.1, blocking, on kept connections. Plain sockets tell a caller whether a failed
 * request may have reached the server. Plain sockets also take a third of the latency of the JDK's
 * client. Thread-safe.
 */
public final class JsonHttp implements AutoCloseable {
  /** Idle connections kept per agent. */
  static final int CONNECTIONS_IDLE_MAX = 256;

  /** Well below the time after which a server closes them. */
  static final Duration CONNECTION_IDLE_MAX = Duration.ofSeconds(30);

  private static final int PORT_MAX = 65_535;
  private static final Set<String> CHANGING = Set.of("POST", "PUT");

  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /** Names the host whose agent forwards a call: the next agent does not forward it again. */
  public static final String FORWARDED_BY = "Quarry-Forwarded-By";

  /** With {@link #FORWARDED_BY}: the digest that binds the caller's own call to its request id. */
  public static final String CALL_DIGEST = "Quarry-Call-Digest";

  private final Map<String, Deque<HttpConnection>> idle;
  private final String everyHead;
  private final Duration idleMax;
  private final AtomicBoolean sweeping = new AtomicBoolean();

  public JsonHttp() {
    this("", CONNECTION_IDLE_MAX);
  }

  /**
   * @param everyHead header lines of all requests
   * @param idleMax how long an idle connection is kept
   */
  JsonHttp(String everyHead, Duration idleMax) {
    this(everyHead, idleMax, new ConcurrentHashMap<>());
  }

  private JsonHttp(String everyHead, Duration idleMax, Map<String, Deque<HttpConnection>> idle) {
    this.idle = idle;
    this.everyHead = everyHead;
    this.idleMax = idleMax;
  }

  /** For the agent of that host, which forwards calls. */
  public static JsonHttp forwarding(String hostId) {
    return new JsonHttp(FORWARDED_BY + ": " + hostId + "\r\n", CONNECTION_IDLE_MAX);
  }

  /** How an exchange ended. */
  public sealed interface Outcome {
    /**
     * The whole answer has arrived, a success or an error.
     *
     * @param headers by their names in lower case
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
    record Answered(int status, Map<String, String> headers, byte[] body) implements Outcome {}

    /** The request was not sent whole: the server cannot have acted on it. */
    record NotSent(String why) implements Outcome {}

    /** The request was sent and no whole answer came: the server may have acted on it. */
    record Unknown(String why) implements Outcome {}
  }

  /**
   * @param path with its query, as in the request line
   * @param body null for none
   * @param requestId sent as Idempotency-Key
   * @param headers further headers; a Content-Type other than JSON's, say
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  public record Request(
      String method,
      String path,
      byte @Nullable [] body,
      @Nullable String requestId,
      Map<String, String> headers) {
    public Request(String method, String path, byte @Nullable [] body, @Nullable String requestId) {
      this(method, path, body, requestId, Map.of());
    }
  }

  /** Shares the connections; for forwarding a call with this digest. */
  public JsonHttp forCall(String digest) {
    return new JsonHttp(everyHead + CALL_DIGEST + ": " + digest + "\r\n", idleMax, idle);
  }

  /** Posts bytes to a path of an agent, as agents do among themselves. */
  public Outcome post(URI agent, String path, byte[] body, Duration timeout) {
    return send(agent, new Request("POST", path, body, null), timeout);
  }

  /**
   * @param timeout for the whole exchange, connecting included
   */
  public Outcome send(URI agent, Request request, Duration timeout) {
    String host = agent.getHost();
    if (host == null || !"http".equals(agent.getScheme()) || agent.getPort() > PORT_MAX) {
      return new Outcome.NotSent(agent + " is not an http:// address");
    }
    int port = agent.getPort() < 0 ? 80 : agent.getPort();
    long deadline = System.nanoTime() + timeout.toNanos();
    String key = host + ":" + port;
    HttpConnection connection;
    try {
      connection = take(key);
      if (connection == null) {
        connection = HttpConnection.open(host, port, min(CONNECT_TIMEOUT, timeout));
      }
    } catch (IOException e) {
      return new Outcome.NotSent("no connection to " + key + ": " + reason(e));
    }
    return exchange(connection, key, head(key, request, everyHead), request, deadline);
  }

  private Outcome exchange(
      HttpConnection connection, String key, byte[] head, Request request, long deadline) {
    try {
      connection.write(head, request.body(), deadline);
    } catch (IOException e) {
      connection.close();
      return new Outcome.NotSent("the request to " + key + " did not go out: " + reason(e));
    }
    try {
      Outcome.Answered answer = connection.read(deadline);
      give(key, connection);
      return answer;
    } catch (IOException e) {
      connection.close();
      return new Outcome.Unknown("no answer from " + key + ": " + reason(e));
    }
  }

  /** Opens a connection of its own and sends the head of the request. */
  static HttpConnection begin(URI agent, Request request, long deadline) throws IOException {
    String host = String.valueOf(agent.getHost());
    int port = agent.getPort() < 0 ? 80 : agent.getPort();
    HttpConnection connection = HttpConnection.open(host, port, CONNECT_TIMEOUT);
    try {
      connection.write(head(host + ":" + port, request, ""), null, deadline);
      return connection;
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private @Nullable HttpConnection take(String key) {
    Deque<HttpConnection> connections = idle.get(key);
    if (connections == null) {
      return null;
    }
    while (true) {
      HttpConnection connection = connections.pollFirst();
      if (connection == null || connection.usable(idleMax)) {
        return connection;
      }
      connection.close();
    }
  }

  private void give(String key, HttpConnection connection) {
    Deque<HttpConnection> connections =
        idle.computeIfAbsent(key, _ -> new ConcurrentLinkedDeque<>());
    if (!connection.reusable() || connections.size() >= CONNECTIONS_IDLE_MAX) {
      connection.close();
      return;
    }
    connections.addFirst(connection);
    sweepLater();
  }

  private void sweepLater() {
    if (!sweeping.getAndSet(true)) {
      long pause = idleMax.toMillis() / 2 + 1;
      CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS).execute(this::sweep);
    }
  }

  /** Closes connections that have been idle for too long. */
  private void sweep() {
    sweeping.set(false);
    boolean left = false;
    for (Deque<HttpConnection> connections : idle.values()) {
      // The last one has been idle for longest.
      for (var last = connections.pollLast(); last != null; last = connections.pollLast()) {
        if (last.fresh(idleMax)) {
          connections.addLast(last);
          left = true;
          break;
        }
        last.close();
      }
    }
    if (left) {
      sweepLater();
    }
  }

  private static byte[] head(String key, Request request, String more) {
    StringBuilder head = new StringBuilder(256);
    head.append(request.method()).append(' ').append(request.path()).append(" HTTP/1.1\r\n");
    head.append("Host: ").append(key).append("\r\n");
    byte[] body = request.body();
    // An agent requires both headers without a body, too: no web page can make a browser send them.
    if (body != null || CHANGING.contains(request.method())) {
      if (!request.headers().containsKey("Content-Type")) {
        head.append("Content-Type: application/json\r\n");
      }
      head.append("Content-Length: ").append(body == null ? 0 : body.length).append("\r\n");
    }
    if (request.requestId() != null) {
      head.append("Idempotency-Key: ").append(request.requestId()).append("\r\n");
    }
    request
        .headers()
        .forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    String text = head.append(more).append("\r\n").toString();
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** The time until a moment of {@link System#nanoTime}, in milliseconds, at least one. */
  static int millisUntil(long deadline) throws IOException {
    long nanos = deadline - System.nanoTime();
    if (nanos <= 0) {
      throw new IOException("the time is over");
    }
    return (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
  }

  /** Closes idle connections; busy ones end with their exchange. */
  @Override
  public void close() {
    for (Deque<HttpConnection> connections : idle.values()) {
      for (var connection = connections.poll(); connection != null; ) {
        connection.close();
        connection = connections.poll();
      }
    }
  }
}
