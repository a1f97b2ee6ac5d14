package io.quarry.agent;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import io.quarry.agent.server.ServerLimits;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An agent's configuration file: JSON, unknown fields refused.
 *
 * @param hostId names this host in the cluster; stays the same over restarts
 * @param listen the {@code host:port} to serve on
 * @param advertise the base URL by which other hosts reach the agent; default: from {@code listen}
 * @param zookeeper connect string, with an optional chroot
 * @param sessionTimeout how long the cluster waits for a silent agent; default 15 s
 * @param stateDirectory for the agent's own files; at most one agent uses the directory at a time
 * @param repositories to connect at start; they exist already
 * @param throttleBytesPerSecond upper bound for all copying on this host; 0, the default: none; a
 *     call's limit counts until this value is changed
 * @param uploadIdleTimeout after which an upload ends that receives no range; default 24 h; the
 *     setting of the SDM's host counts
 * @param heavyFixesMax how many fixes that move data may run at once; default 2
 * @param server limits and names of the agent's HTTP server
 */
public record AgentConfig(
    String hostId,
    String listen,
    URI advertise,
    String zookeeper,
    Duration sessionTimeout,
    Path stateDirectory,
    List<ConnectRequest> repositories,
    long throttleBytesPerSecond,
    Duration uploadIdleTimeout,
    int heavyFixesMax,
    Server server) {
  public static final Duration SESSION_TIMEOUT = Duration.ofSeconds(15);
  public static final Duration SESSION_TIMEOUT_MIN = Duration.ofSeconds(1);
  public static final Duration SESSION_TIMEOUT_MAX = Duration.ofMinutes(2);
  public static final Duration UPLOAD_IDLE_TIMEOUT = Duration.ofHours(24);
  public static final Duration UPLOAD_IDLE_TIMEOUT_MIN = Duration.ofSeconds(1);
  public static final Duration UPLOAD_IDLE_TIMEOUT_MAX = Duration.ofDays(365);
  public static final int HEAVY_FIXES = 2;
  public static final int HEAVY_FIXES_MAX = 64;
  private static final int PORT_MAX = 65_535;

  /** Safe as the name of a znode and of a file. */
  private static final Pattern HOST_ID =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.NAME_CHARS_MAX - 1) + "}");

  private static final Pattern LISTEN =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:/\\s]+):(\\d{1,5})");
  private static final Pattern SERVERS = Pattern.compile("[^/\\s]+(/[^/\\s]+)*");
  private static final Set<String> WILDCARDS = Set.of("0.0.0.0", "[::]");

  public AgentConfig {
    require(
        HOST_ID.matcher(hostId).matches(),
        "hostId must be letters, digits, dots, dashes and underscores, at most %d, not \"%s\""
            .formatted(Limits.NAME_CHARS_MAX, hostId));
    checkListen(listen);
    require(
        isHttp(advertise),
        "advertise must be a URL such as http://host-1:7400, not \"%s\"".formatted(advertise));
    require(
        SERVERS.matcher(zookeeper).matches(),
        "zookeeper must be a connect string such as zk1:2181,zk2:2181/quarry, not \"%s\""
            .formatted(zookeeper));
    require(
        sessionTimeout.compareTo(SESSION_TIMEOUT_MIN) >= 0
            && sessionTimeout.compareTo(SESSION_TIMEOUT_MAX) <= 0,
        "sessionTimeout must be between %s and %s, not %s"
            .formatted(SESSION_TIMEOUT_MIN, SESSION_TIMEOUT_MAX, sessionTimeout));
    require(
        stateDirectory.isAbsolute(),
        "stateDirectory must be an absolute path, not \"%s\"".formatted(stateDirectory));
    Set<String> repoIds = new HashSet<>();
    for (ConnectRequest repository : repositories) {
      require(
          repoIds.add(repository.repoId()),
          "repositories names repoId \"%s\" twice".formatted(repository.repoId()));
      checkRepository(repository);
    }
    repositories = List.copyOf(repositories);
    require(
        throttleBytesPerSecond >= 0,
        "throttleBytesPerSecond must be 0 (no limit) or more, not %d"
            .formatted(throttleBytesPerSecond));
    require(
        uploadIdleTimeout.compareTo(UPLOAD_IDLE_TIMEOUT_MIN) >= 0
            && uploadIdleTimeout.compareTo(UPLOAD_IDLE_TIMEOUT_MAX) <= 0,
        "uploadIdleTimeout must be between %s and %s, not %s"
            .formatted(UPLOAD_IDLE_TIMEOUT_MIN, UPLOAD_IDLE_TIMEOUT_MAX, uploadIdleTimeout));
    require(
        heavyFixesMax >= 1 && heavyFixesMax <= HEAVY_FIXES_MAX,
        "heavyFixesMax must be between 1 and %d, not %d".formatted(HEAVY_FIXES_MAX, heavyFixesMax));
  }

  @JsonCreator
  static AgentConfig of(
      @JsonProperty("hostId") @Nullable String hostId,
      @JsonProperty("listen") @Nullable String listen,
      @JsonProperty("advertise") @Nullable URI advertise,
      @JsonProperty("zookeeper") @Nullable String zookeeper,
      @JsonProperty("sessionTimeout") @Nullable Duration sessionTimeout,
      @JsonProperty("stateDirectory") @Nullable String stateDirectory,
      @JsonProperty("repositories") @Nullable List<Repository> repositories,
      @JsonProperty("throttleBytesPerSecond") @Nullable Long throttleBytesPerSecond,
      @JsonProperty("uploadIdleTimeout") @Nullable Duration uploadIdleTimeout,
      @JsonProperty("heavyFixesMax") @Nullable Integer heavyFixesMax,
      @JsonProperty("server") @Nullable Server server) {
    String address = given("listen", listen);
    return new AgentConfig(
        given("hostId", hostId),
        address,
        advertise == null ? advertised(address) : advertise,
        given("zookeeper", zookeeper),
        sessionTimeout == null ? SESSION_TIMEOUT : sessionTimeout,
        Path.of(given("stateDirectory", stateDirectory)),
        repositories == null
            ? List.of()
            : repositories.stream().map(Repository::toRequest).toList(),
        throttleBytesPerSecond == null ? 0 : throttleBytesPerSecond,
        uploadIdleTimeout == null ? UPLOAD_IDLE_TIMEOUT : uploadIdleTimeout,
        heavyFixesMax == null ? HEAVY_FIXES : heavyFixesMax,
        server == null ? Server.DEFAULT : server);
  }

  /** Reads and checks a file. */
  public static AgentConfig load(Path file) throws ConfigurationException {
    try {
      return Json.MAPPER.readValue(Files.readString(file), AgentConfig.class);
    } catch (JsonProcessingException wrong) {
      throw new ConfigurationException(file + ": " + explain(wrong));
    } catch (NoSuchFileException missing) {
      throw new ConfigurationException("there is no file " + file);
    } catch (IOException unreadable) {
      throw new ConfigurationException("Cannot read the configuration: " + unreadable);
    }
  }

  /**
   * Settings of the HTTP server.
   *
   * @param connectionsMax open connections; default 8192
   * @param keepAliveTimeout until a connection without a request is closed; default 60 s
   * @param names by which callers reach the agent, beside those that the agent knows itself
   */
  public record Server(int connectionsMax, Duration keepAliveTimeout, List<String> names) {
    private static final int CONNECTIONS_MIN = 64;
    private static final int CONNECTIONS_MAX = 1 << 20;
    private static final Duration KEEP_ALIVE_MIN = Duration.ofSeconds(1);
    private static final Duration KEEP_ALIVE_MAX = Duration.ofHours(1);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,253}");

    /** Made of the constants above. */
    public static final Server DEFAULT =
        new Server(
            ServerLimits.DEFAULT.connectionsMax(),
            ServerLimits.DEFAULT.keepAliveTimeout(),
            List.of());

    public Server {
      require(
          connectionsMax >= CONNECTIONS_MIN && connectionsMax <= CONNECTIONS_MAX,
          "server.connectionsMax must be between %d and %d, not %d"
              .formatted(CONNECTIONS_MIN, CONNECTIONS_MAX, connectionsMax));
      require(
          keepAliveTimeout.compareTo(KEEP_ALIVE_MIN) >= 0
              && keepAliveTimeout.compareTo(KEEP_ALIVE_MAX) <= 0,
          "server.keepAliveTimeout must be between %s and %s, not %s"
              .formatted(KEEP_ALIVE_MIN, KEEP_ALIVE_MAX, keepAliveTimeout));
      for (String name : names) {
        require(
            NAME.matcher(name).matches(),
            "server.names must be host names without a port, not \"%s\"".formatted(name));
      }
      names = List.copyOf(names);
    }

    @JsonCreator
    static Server of(
        @JsonProperty("connectionsMax") @Nullable Integer connectionsMax,
        @JsonProperty("keepAliveTimeout") @Nullable Duration keepAliveTimeout,
        @JsonProperty("names") @Nullable List<String> names) {
      return new Server(
          connectionsMax == null ? DEFAULT.connectionsMax : connectionsMax,
          keepAliveTimeout == null ? DEFAULT.keepAliveTimeout : keepAliveTimeout,
          names == null ? DEFAULT.names : names);
    }
  }

  /** The names by which callers may address this agent, beside localhost and addresses. */
  @JsonIgnore
  public Set<String> serverNames() {
    Set<String> names = new HashSet<>(server.names());
    names.addAll(List.of(hostId, host(listen), advertise.getHost()));
    try {
      // No further names: a look-up may wait for a name server that does not answer.
      names.add(InetAddress.getLocalHost().getHostName());
    } catch (UnknownHostException e) {
      // A host that cannot look up its own name is reached by the other names.
    }
    return names;
  }

  /** The address to listen on; resolves the name. */
  @JsonIgnore
  public InetSocketAddress listenAddress() {
    String host = host(listen);
    return new InetSocketAddress(
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port(listen));
  }

  /** A repository in the file, where most fields may be left out. */
  record Repository(
      @Nullable String repoId,
      @Nullable String repoFormat,
      @Nullable Map<String, String> connectionParameters,
      @Nullable Boolean create) {
    ConnectRequest toRequest() {
      require(
          create == null,
          "repositories.create is not a setting, since a configuration creates nothing: run"
              + " `quarry repo create` once, and remove the field");
      return new ConnectRequest(
          given("repositories.repoId", repoId),
          given("repositories.repoFormat", repoFormat),
          connectionParameters == null ? Map.of() : connectionParameters);
    }
  }

  /** Case 12.3: reports a mistake at once that no waiting would correct. */
  private static void checkRepository(ConnectRequest repository) {
    try {
      Formats.check(repository);
    } catch (StorageException e) {
      throw new IllegalArgumentException(
          "repository %s: %s; %s".formatted(repository.repoId(), e.getMessage(), e.remedy()), e);
    }
  }

  private static URI advertised(String listen) {
    checkListen(listen);
    String host = host(listen);
    require(
        !WILDCARDS.contains(host),
        "advertise is missing: other hosts cannot reach the listen address %s".formatted(listen));
    return URI.create("http://" + listen);
  }

  private static void checkListen(String listen) {
    require(
        LISTEN.matcher(listen).matches() && port(listen) > 0 && port(listen) <= PORT_MAX,
        "listen must be host:port, for example 127.0.0.1:7400, not \"%s\"".formatted(listen));
  }

  /** An IPv6 address in its brackets. */
  private static String host(String listen) {
    return listen.substring(0, listen.lastIndexOf(':'));
  }

  private static int port(String listen) {
    return Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
  }

  private static boolean isHttp(URI url) {
    return ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
        && url.getHost() != null;
  }

  private static String given(String field, @Nullable String value) {
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException(field + " is missing");
    }
    return value;
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  private static String explain(JsonProcessingException wrong) {
    return switch (wrong) {
      case UnrecognizedPropertyException unknown ->
          "unknown field \"%s\"; known are %s"
              .formatted(
                  unknown.getPropertyName(),
                  unknown.getKnownPropertyIds().stream()
                      .map(Object::toString)
                      .sorted()
                      .collect(Collectors.joining(", ")));
      case ValueInstantiationException invalid when invalid.getCause() != null ->
          String.valueOf(invalid.getCause().getMessage());
      case JsonMappingException mapping ->
          mapping.getPath().stream()
                  .map(JsonMappingException.Reference::getFieldName)
                  .filter(name -> name != null)
                  .collect(Collectors.joining("."))
              + ": "
              + mapping.getOriginalMessage();
      default -> "not JSON: " + wrong.getOriginalMessage() + " " + wrong.getLocation();
    };
  }
}
