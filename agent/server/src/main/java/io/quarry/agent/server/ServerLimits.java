package io.quarry.agent.server;

import java.time.Duration;

/**
 * The server's limits.
 *
 * @param connectionsMax open connections; above this number the connection that was idle for
 *     longest is closed
 * @param requestsInFlightMax calls that run at once, without those that wait for a status
 * @param waitsInFlightMax calls that wait for a status
 * @param streamsMax watchers of events at once
 * @param bodyBytesMax largest request body
 * @param headerTimeout from connecting until the first request's headers are there
 * @param bodyTimeout from a request's headers until its whole body is there
 * @param keepAliveTimeout from the end of an answer until the next request's headers are there;
 *     above the {@code CONNECTION_IDLE_MAX} of clients
 * @param idleTimeout after which a silent connection is closed; above {@link #STATUS_WAIT_MAX}
 * @param slowReaderTimeout after which a watcher is dropped that does not read its events
 * @param slowTransferGrace how long a transfer may have waited for its slow caller, in all, before
 *     another transfer may take its place
 */
public record ServerLimits(
    int connectionsMax,
    int requestsInFlightMax,
    int waitsInFlightMax,
    int streamsMax,
    int bodyBytesMax,
    Duration headerTimeout,
    Duration bodyTimeout,
    Duration keepAliveTimeout,
    Duration idleTimeout,
    Duration slowReaderTimeout,
    Duration slowTransferGrace) {
  /** Longest {@code wait} of a status call; a client that wants more asks again. */
  public static final Duration STATUS_WAIT_MAX = Duration.ofSeconds(60);

  /** Downloads and uploads that run at once; the throttle limits the speed of each. */
  public static final int TRANSFERS_IN_FLIGHT_MAX = 16;

  /**
   * A caller that moves less, while a transfer waits for the caller, is slow. In bytes per second.
   */
  public static final long SLOW_BYTES_PER_SECOND = 1 << 20;

  /** A stream sends a sign of life at least so often. */
  public static final Duration HEARTBEAT = Duration.ofSeconds(5);

  public static final int HEADER_BYTES_MAX = 16 << 10;
  public static final int REQUEST_LINE_BYTES_MAX = 8 << 10;

  public static final ServerLimits DEFAULT =
      new ServerLimits(
          8192,
          1024,
          4096,
          128,
          1 << 20,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(60),
          Duration.ofSeconds(120),
          Duration.ofSeconds(15),
          Duration.ofSeconds(10));

  /** The same limits, except for those that an agent's configuration sets. */
  public ServerLimits with(int connections, Duration keepAlive) {
    return new ServerLimits(
        connections,
        requestsInFlightMax,
        waitsInFlightMax,
        streamsMax,
        bodyBytesMax,
        headerTimeout,
        bodyTimeout,
        keepAlive,
        idleTimeout,
        slowReaderTimeout,
        slowTransferGrace);
  }
}
