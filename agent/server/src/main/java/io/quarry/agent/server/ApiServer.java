package io.quarry.agent.server;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.quarry.common.api.StorageApi;
import io.quarry.coordinator.thread.Deadline;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's HTTP server. Event loops read and write; calls run on virtual threads and may block.
 */
public final class ApiServer implements AutoCloseable {
  /** How long a stop waits for calls in flight. */
  public static final Duration STOP_DEADLINE = Duration.ofSeconds(10);

  private static final int EVENT_LOOPS_MAX = 4;

  /** With this port Vert.x picks a free one, the same for all listeners. */
  private static final int ANY_PORT = -1;

  private static final Duration VERTX_CLOSE_DEADLINE = Duration.ofSeconds(5);
  private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);

  private final Vertx vertx;
  private final ExecutorService workers;
  private final Admission calls;
  private final Admission waits;
  private final TransferPlaces transfers;
  private final Admission streams;
  private final AtomicInteger port = new AtomicInteger();

  /**
   * @param port 0 takes a free one
   * @param names by which callers may reach the agent, beside localhost and addresses
   */
  public record Settings(String host, int port, ServerLimits limits, Set<String> names) {
    public Settings(String host, int port, ServerLimits limits) {
      this(host, port, limits, Set.of());
    }
  }

  /**
   * @param health whether the API can serve; called on a virtual thread
   * @param submit handles what other agents forward: opaque bytes in and out, on a virtual thread;
   *     may throw StorageException
   * @param metrics shown at {@code /metrics}; other parts may add their own
   */
  public record Parts(
      StorageApi api,
      Supplier<Health> health,
      UnaryOperator<byte[]> submit,
      PrometheusMeterRegistry metrics) {}

  private final Settings settings;

  private ApiServer(Settings settings) {
    this.settings = settings;
    this.calls = new Admission(settings.limits().requestsInFlightMax());
    this.waits = new Admission(settings.limits().waitsInFlightMax());
    this.streams = new Admission(settings.limits().streamsMax());
    this.transfers =
        new TransferPlaces(
            ServerLimits.TRANSFERS_IN_FLIGHT_MAX, settings.limits().slowTransferGrace());
    this.workers = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("api-", 0).factory());
    this.vertx =
        Vertx.vertx(
            new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventLoopPoolSize(eventLoops())
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setFileCachingEnabled(false)
                        .setClassPathResolvingEnabled(false)));
  }

  /** Starts a server, which listens when this method returns. */
  public static ApiServer start(Settings settings, Parts parts) {
    ApiServer server = new ApiServer(settings);
    try {
      server.listen(parts);
    } catch (RuntimeException e) {
      server.close(Duration.ZERO);
      throw e;
    }
    return server;
  }

  public int port() {
    return port.get();
  }

  /** The base URL, as a client on this machine would use it. */
  public URI uri() {
    return URI.create("http://" + settings.host() + ":" + port());
  }

  private static int eventLoops() {
    return Math.min(EVENT_LOOPS_MAX, Runtime.getRuntime().availableProcessors());
  }

  private void listen(Parts parts) {
    var shared =
        new Exchange.Shared(
            vertx,
            settings.limits(),
            workers,
            new HttpMetrics(parts.metrics(), calls, waits, transfers.admission(), streams),
            calls,
            waits,
            transfers,
            streams);
    Dispatcher dispatcher =
        new Dispatcher(
            parts.api(),
            parts.submit(),
            new Pages(() -> healthWhileServing(parts.health()), parts.metrics()),
            new WebPages(settings.names()),
            shared);
    for (int i = 0; i < eventLoops(); i++) {
      vertx.deployVerticle(new Listener(dispatcher), new DeploymentOptions()).await();
    }
  }

  private Health healthWhileServing(Supplier<Health> health) {
    return calls.stopping()
        ? new Health(false, Map.of("reason", "This agent is stopping."))
        : health.get();
  }

  /** One event loop's share of the connections. */
  private final class Listener extends AbstractVerticle {
    private final Dispatcher dispatcher;
    private final OpenConnections connections =
        new OpenConnections(
            Math.max(1, settings.limits().connectionsMax() / eventLoops()), settings.limits());

    private final HalfClosed halfClosed = new HalfClosed();

    Listener(Dispatcher dispatcher) {
      this.dispatcher = dispatcher;
    }

    @Override
    public void start(Promise<Void> started) {
      ServerLimits limits = settings.limits();
      HttpServer server =
          vertx.createHttpServer(
              new HttpServerOptions()
                  .setHost(settings.host())
                  .setPort(settings.port() == 0 ? ANY_PORT : settings.port())
                  .setTcpNoDelay(true)
                  .setHttp2ClearTextEnabled(false)
                  .setHandle100ContinueAutomatically(true)
                  // Both would look for WebSockets, and fail on more than 128 pipelined requests.
                  .setPerMessageWebSocketCompressionSupported(false)
                  .setPerFrameWebSocketCompressionSupported(false)
                  .setMaxHeaderSize(ServerLimits.HEADER_BYTES_MAX)
                  .setMaxInitialLineLength(ServerLimits.REQUEST_LINE_BYTES_MAX)
                  .setMaxChunkSize(RequestBytes.BUFFER_BYTES)
                  .setIdleTimeout((int) limits.idleTimeout().toMillis())
                  .setIdleTimeoutUnit(TimeUnit.MILLISECONDS));
      server.connectionHandler(connection -> {
        halfClosed.watch(connection);
        connections.opened(connection);
      });
      server.requestHandler(request -> {
        HttpConnection connection = request.connection();
        if (halfClosed.isEnd(request)) {
          connection.close();
          return;
        }
        connections.begun(connection);
        request.response().endHandler(_ -> connections.answered(connection));
        dispatcher.handle(request);
      });
      vertx.setPeriodic(connections.roundMillis(), _ -> connections.closeLate());
      server.invalidRequestHandler(dispatcher::handleUnreadable);
      server
          .listen()
          .onSuccess(listening -> port.set(listening.actualPort()))
          .<Void>mapEmpty()
          .onComplete(started);
    }
  }

  @Override
  public void close() {
    close(STOP_DEADLINE);
  }

  /** Refuses new calls, waits for calls in flight until the deadline, then breaks off the rest. */
  public void close(Duration deadline) {
    calls.stop();
    waits.stop();
    transfers.admission().stop();
    streams.stop();
    try {
      Deadline until = Deadline.after(deadline);
      boolean finished = calls.awaitEmpty(deadline);
      finished &= waits.awaitEmpty(until.remaining());
      finished &= transfers.admission().awaitEmpty(until.remaining());
      if (!finished) {
        int left = calls.inFlight() + waits.inFlight() + transfers.admission().inFlight();
        LOG.warn("Stopping with {} calls in flight", left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    workers.shutdownNow();
    try {
      vertx.close().await(VERTX_CLOSE_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn("The HTTP server did not stop within {}", VERTX_CLOSE_DEADLINE);
    }
  }
}
