package io.quarry.agent.dev;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.AgentConfig;
import io.quarry.agent.guardian.GuardianMain;
import io.quarry.agent.guardian.PidFile;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One host of a {@link LocalCluster}: a guardian and its agent. Not thread-safe. */
public final class LocalHost implements AutoCloseable {
  private static final List<String> GUARDIAN_OPTIONS =
      List.of("-Xmx48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration HEALTH_WAIT = Duration.ofSeconds(2);
  private static final int OK = 200;

  /** Part of the health answer, also of one whose status is not 200. */
  private static final String STARTED = "\"started\":\"true\"";

  /**
   * A file in the state directory that replaces the kernel's boot id once the host has rebooted.
   */
  private static final String BOOT_FILE = "boot-id";

  private ChildProcesses processes;
  private final HttpClient http;
  private final LocalClusterOptions options;
  private final ObjectNode settings;
  private final AgentConfig config;
  private final Path directory;
  private @Nullable Process guardian;

  LocalHost(
      ChildProcesses processes,
      HttpClient http,
      LocalClusterOptions options,
      ObjectNode settings,
      Path directory)
      throws JsonProcessingException {
    this.processes = processes;
    this.http = http;
    this.options = options;
    this.settings = settings;
    this.config = Json.MAPPER.treeToValue(settings, AgentConfig.class);
    this.directory = directory;
  }

  public String hostId() {
    return config.hostId();
  }

  /** The base URL of the host's API. */
  public URI url() {
    return config.advertise();
  }

  public Path stateDirectory() {
    return config.stateDirectory();
  }

  /** The output of the guardian and of all its agents. */
  public Path log() {
    return directory.resolve("agent.log");
  }

  /** The pid of the agent's JVM, a new one after each restart; empty before the first start. */
  public OptionalLong agentPid() throws IOException {
    return PidFile.read(directory, PidFile.AGENT);
  }

  public long guardianPid() {
    return running().pid();
  }

  /** Starts guardian and agent, and does not wait for them. */
  public void start() throws IOException {
    if (guardian != null && guardian.isAlive()) {
      throw new IllegalStateException(hostId() + " runs already");
    }
    Files.createDirectories(directory);
    Files.deleteIfExists(directory.resolve(PidFile.AGENT));
    Path file = directory.resolve("agent.json");
    Files.writeString(file, settings.toPrettyString());
    List<String> words = new ArrayList<>();
    words.addAll(List.of("--config", file.toString(), "--pid-directory", directory.toString()));
    words.addAll(List.of("--java-option", "-Dquarry.boot.file=" + BOOT_FILE));
    Stream.concat(options.javaOptions().stream(), processes.options().stream())
        .forEach(option -> words.addAll(List.of("--java-option", option)));
    words.addAll(options.guardianArguments());
    guardian =
        processes.java(options.launcher(), GUARDIAN_OPTIONS, GuardianMain.class, words, log());
  }

  /** From its next start on, the host runs the program of another commit. */
  public void install(String classPath) {
    processes = processes.withClassPath(classPath);
  }

  /** Waits until the agent reports its start, healthy or not. */
  public void awaitReady(Duration within)
      throws IOException, InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + within.toNanos();
    while (!started()) {
      if (!running().isAlive()) {
        throw new IOException(
            hostId() + " ended with exit code " + running().exitValue() + "; see " + log());
      }
      if (System.nanoTime() > deadline) {
        throw new TimeoutException(hostId() + " is not ready after " + within + "; see " + log());
      }
      Thread.sleep(POLL);
    }
  }

  /** Whether the agent answers {@code GET /health} with 200. */
  public boolean ready() throws InterruptedException {
    return health().map(answer -> answer.statusCode() == OK).orElse(false);
  }

  /** The fault that a started agent reports; empty when it is healthy or does not answer. */
  public Optional<String> trouble() throws InterruptedException {
    return health()
        .filter(answer -> answer.statusCode() != OK)
        .map(HttpResponse::body)
        .filter(said -> said.contains(STARTED));
  }

  private boolean started() throws InterruptedException {
    return health()
        .map(answer -> answer.statusCode() == OK || answer.body().contains(STARTED))
        .orElse(false);
  }

  private Optional<HttpResponse<String>> health() throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(url().resolve("/health")).timeout(HEALTH_WAIT).build();
    try {
      return Optional.of(http.send(request, BodyHandlers.ofString()));
    } catch (IOException notYet) {
      return Optional.empty();
    }
  }

  /** SIGKILL to the agent alone: its guardian proves the death and starts the next agent. */
  public void killAgent() throws IOException {
    ProcessHandle.of(agent()).ifPresent(Pids::kill);
  }

  /** SIGKILL to the guardian: the agent dies with it, and no process proves the death. */
  public void killGuardian() {
    long pid = running().destroyForcibly().onExit().join().pid();
    Pids.awaitEnd(pid);
  }

  /** The QEMU tools that work for the agent at the moment. */
  public List<ProcessHandle> tools() {
    return guardian == null
        ? List.of()
        : guardian
            .descendants()
            .filter(each -> each.info().command().orElse("").contains("/qemu-"))
            .toList();
  }

  /**
   * Kills the guardian first, then all processes below it. As after a power cut, no process proves
   * the death.
   */
  public void killHost() {
    if (guardian == null) {
      return;
    }
    Set<ProcessHandle> below = new LinkedHashSet<>(guardian.descendants().toList());
    guardian.destroyForcibly().onExit().join();
    // A process born since the list was made is found below its parent, while the parent still
    // lives.
    List.copyOf(below).forEach(process -> process.descendants().forEach(below::add));
    below.forEach(ProcessHandle::destroyForcibly);
    below.forEach(process -> Pids.awaitEnd(process.pid()));
  }

  /** The power returns: all that ran on the host is dead, which its state directory proves. */
  public void reboot() throws IOException {
    killHost();
    Files.writeString(config.stateDirectory().resolve(BOOT_FILE), UUID.randomUUID().toString());
    start();
  }

  /** SIGTERM to the guardian: the agent ends gently. Returns when both have ended. */
  public void shutDown() {
    if (guardian != null) {
      guardian.destroy();
      guardian.onExit().join();
    }
  }

  /** SIGSTOP to the agent: a long pause. */
  public void pauseAgent() throws IOException, InterruptedException {
    Pids.signal(agent(), "STOP");
  }

  /** SIGCONT to the agent. */
  public void resumeAgent() throws IOException, InterruptedException {
    Pids.signal(agent(), "CONT");
  }

  @Override
  public void close() {
    killHost();
  }

  private long agent() throws IOException {
    return agentPid().orElseThrow(() -> new IllegalStateException(hostId() + " has no agent"));
  }

  private Process running() {
    if (guardian == null) {
      throw new IllegalStateException(hostId() + " was not started");
    }
    return guardian;
  }
}
