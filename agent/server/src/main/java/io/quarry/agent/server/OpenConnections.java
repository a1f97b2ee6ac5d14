package io.quarry.agent.server;

import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The connections of one event loop that wait for a request, and the number of all connections. A
 * connection whose caller does not send a whole request head in time is closed, however steadily
 * bytes arrive. Only the event loop's thread uses this class.
 */
final class OpenConnections {
  private final int max;
  private final Duration headerTimeout;
  private final Duration keepAliveTimeout;

  /**
   * The deadlines of waiting connections, by {@link System#nanoTime}; the longest wait is first.
   */
  private final Map<HttpConnection, Long> waiting = new LinkedHashMap<>();

  private int open;

  OpenConnections(int max, ServerLimits limits) {
    this.max = max;
    this.headerTimeout = limits.headerTimeout();
    this.keepAliveTimeout = limits.keepAliveTimeout();
  }

  /** How often to call {@link #closeLate}, in milliseconds. */
  long roundMillis() {
    long shortest = Math.min(headerTimeout.toMillis(), keepAliveTimeout.toMillis());
    return Math.clamp(shortest / 4, 1, 1000);
  }

  /** Above the limit a waiting connection is closed, and if all are busy, the new one. */
  void opened(HttpConnection connection) {
    open++;
    connection.closeHandler(_ -> {
      open--;
      waiting.remove(connection);
    });
    waiting.put(connection, System.nanoTime() + headerTimeout.toNanos());
    if (open > max) {
      HttpConnection first = waiting.keySet().iterator().next();
      waiting.remove(first);
      first.close();
    }
  }

  /** The head of a request has arrived. */
  void begun(HttpConnection connection) {
    waiting.remove(connection);
  }

  /** The connection has the answer. */
  void answered(HttpConnection connection) {
    waiting.put(connection, System.nanoTime() + keepAliveTimeout.toNanos());
  }

  void closeLate() {
    long now = System.nanoTime();
    for (var late : Map.copyOf(waiting).entrySet()) {
      if (now - late.getValue() > 0) {
        waiting.remove(late.getKey());
        late.getKey().close();
      }
    }
  }
}
