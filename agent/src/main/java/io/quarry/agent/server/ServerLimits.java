package io.quarry.agent.server;

import java.time.Duration;

/**
 * The server's limits.
 *
 * @param requestsInFlightMax calls that run at once, without those that wait for a status
 * @param waitsInFlightMax calls that wait for a status
 * @param streamsMax watchers of events at once
 * @param bodyBytesMax largest request body
 * @param headerTimeout from connecting until the first request's headers are there
 * @param bodyTimeout from a request's headers until its body is there
 * @param idleTimeout after which a silent connection is closed; above {@link #STATUS_WAIT_MAX}
 * @param slowReaderTimeout after which a watcher is dropped that does not take what is sent to it
 */
public record ServerLimits(
    int requestsInFlightMax,
    int waitsInFlightMax,
    int streamsMax,
    int bodyBytesMax,
    Duration headerTimeout,
    Duration bodyTimeout,
    Duration idleTimeout,
    Duration slowReaderTimeout) {
  /** Longest {@code wait} of a status call; a client that wants more asks again. */
  public static final Duration STATUS_WAIT_MAX = Duration.ofSeconds(60);

  /** Downloads and uploads that run at once; what one of them moves is limited by the throttle. */
  public static final int TRANSFERS_IN_FLIGHT_MAX = 16;

  /** A stream says at least so often that it is alive. */
  public static final Duration HEARTBEAT = Duration.ofSeconds(5);

  public static final int HEADER_BYTES_MAX = 16 << 10;
  public static final int REQUEST_LINE_BYTES_MAX = 8 << 10;

  public static final ServerLimits DEFAULT =
      new ServerLimits(
          1024,
          4096,
          128,
          1 << 20,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(120),
          Duration.ofSeconds(15));
}
