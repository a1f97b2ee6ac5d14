package io.quarry.it.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.cli.Main;
import io.quarry.agent.dev.LoopbackPorts;
import io.quarry.agent.guardian.GuardianMain;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.QemuGuest;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** An agent with its guardian in a machine of the lab. One thread at a time uses it. */
public final class LabAgent implements Closeable {
  /** The name by which each host knows the file server, at the end of its own cable. */
  public static final String FILE_SERVER = "nas";

  /** The serial number of the disk that keeps the agent's state over a power cut. */
  static final String STATE_DISK = "state";

  private static final int PORT = 7400;
  private static final String STATE = "/var/lib/quarry";
  private static final String CONFIG = "/etc/quarry-agent.json";
  private static final String PIDS = "/run/quarry";
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration CONNECT_MAX = Duration.ofMinutes(3);
  private static final Duration HEALTH_WAIT = Duration.ofSeconds(5);
  private static final List<String> JAVA_OPTIONS =
      List.of("-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private final LabVm vm;
  private final int zooKeeperPort;
  private final int port;
  private final StorageClient client;
  private final HttpClient http = HttpClient.newHttpClient();
  private @Nullable GuestJava guardian;

  LabAgent(LabVm vm, int zooKeeperPort) throws IOException {
    this.vm = vm;
    this.zooKeeperPort = zooKeeperPort;
    this.port = LoopbackPorts.free();
    this.client = new StorageClient(List.of(url()));
  }

  public LabVm vm() {
    return vm;
  }

  public String hostId() {
    return vm.name();
  }

  /** The address of the agent for this JVM; the machines have another one. */
  public URI url() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** A client that asks this agent alone. */
  public StorageClient client() {
    return client;
  }

  /** Starts guardian and agent in the machine, which has just booted. */
  public void start() throws IOException, InterruptedException {
    vm.forward(port, PORT);
    ObjectNode config = Json.MAPPER.createObjectNode();
    config.put("hostId", hostId());
    config.put("listen", "0.0.0.0:" + PORT);
    config.put("advertise", "http://" + LabVm.hostAddress() + ":" + port);
    config.put("zookeeper", LabVm.hostAddress() + ":" + zooKeeperPort);
    config.put("stateDirectory", STATE + "/agent");
    vm.run(
        """
        disk=/dev/disk/by-id/virtio-%6$s
        blkid $disk >/dev/null || mkfs.ext4 -q $disk
        mkdir -p %1$s %7$s
        mount $disk %7$s
        echo '%2$s %3$s' >>/etc/hosts
        cat >%4$s <<'END'
        %5$s
        END
        """
            .formatted(PIDS, vm.peer(), FILE_SERVER, CONFIG, config, STATE_DISK, STATE));
    List<String> words = new ArrayList<>(List.of("--config", CONFIG, "--pid-directory", PIDS));
    JAVA_OPTIONS.forEach(option -> words.addAll(List.of("--java-option", option)));
    guardian = vm.java(GuardianMain.class, words.toArray(String[]::new));
  }

  /** Waits until the agent answers that it is healthy. */
  public void awaitReady(Duration within)
      throws IOException, InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + within.toNanos();
    while (!ready()) {
      if (System.nanoTime() > deadline) {
        throw new TimeoutException(hostId() + " is not ready after " + within + vm.see());
      }
      Thread.sleep(POLL);
    }
  }

  private boolean ready() throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(url().resolve("/health")).timeout(HEALTH_WAIT).build();
    try {
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      return answer.statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  /**
   * Connects the repository of that name on the file server, and makes it if need be.
   *
   * @param more parameters of the connection
   */
  void connect(String repoId, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>(more);
    parameters.put("server", FILE_SERVER);
    parameters.put("export", "/" + repoId);
    ConnectRequest request = new ConnectRequest(repoId, "nfs-3.4", parameters);
    // To mount may take longer than a caller waits, on a machine without hardware support.
    await()
        .atMost(CONNECT_MAX)
        .ignoreExceptionsMatching(
            e -> e instanceof StorageException s && s.code() == ErrorCode.OUTCOME_UNKNOWN)
        .until(() -> client.createStorageRepository(request) != null);
  }

  /** SIGKILL to the agent alone: its guardian proves the death and starts the next agent. */
  public void kill() throws IOException, InterruptedException {
    vm.run("kill -KILL $(cat " + PIDS + "/agent.pid)");
  }

  /** The machine has lost its power and has booted again: all that ran there is dead. */
  public void reboot() throws IOException, InterruptedException {
    vm.start();
    start();
  }

  /** The end of a command. */
  public record Said(int exitCode, String output) {}

  /** Runs {@code quarry} in the machine. */
  public Said quarry(String... words) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--agent", "http://127.0.0.1:" + PORT));
    GuestJava command = vm.java(Main.class, all.toArray(String[]::new));
    return new Said(command.exitCode(), command.output());
  }

  /**
   * Makes a repository on all hosts as an operator does, who repeats a command that had no answer.
   *
   * @param parameters of the connection
   */
  public void create(String repoId, String format, String... parameters) {
    List<String> words =
        new ArrayList<>(List.of("repo", "create", repoId, "--format", format, "--on", "all"));
    for (String parameter : parameters) {
      words.addAll(List.of("--param", parameter));
    }
    await()
        .atMost(CONNECT_MAX)
        .until(
            () -> quarry(words.toArray(String[]::new)),
            said -> {
              boolean done = said.exitCode() == 0;
              assertThat(done || said.output().contains("OUTCOME_UNKNOWN"))
                  .as(said.output())
                  .isTrue();
              return done;
            });
    assertThat(client.listHosts())
        .allSatisfy(host ->
            assertThat(host.repositories())
                .anyMatch(repository -> repository.repoId().equals(repoId)));
  }

  /** Opens a disk, runs qemu-io's commands on it in this machine, and closes the disk. */
  public void use(String repoId, String imageId, String... commands)
      throws IOException, InterruptedException {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(false, "guest"), null);
    try {
      vm.run(qemuIo(opened, commands));
    } finally {
      client.closeImage(repoId, imageId, opened.openId(), null);
    }
  }

  /** The SHA-256 of all that an image reads as in this machine, backing chain and all. */
  public String sha256(String repoId, String imageId) throws IOException, InterruptedException {
    OpenedImage opened = client.openImage(repoId, imageId, new OpenRequest(true, "reader"), null);
    try {
      return vm.run(
          """
          file=$(mktemp /run/content.XXXXXX)
          qemu-img convert -U -O raw '%s' $file
          sha256sum <$file | cut -c1-64
          rm $file
          """
              .formatted(QemuGuest.name(opened)));
    } finally {
      client.closeImage(repoId, imageId, opened.openId(), null);
    }
  }

  private static String qemuIo(OpenedImage opened, String... commands) {
    String all =
        List.of(commands).stream()
            .map(command -> "-c '" + command + "'")
            .collect(Collectors.joining(" "));
    return """
    said=$(qemu-io %s '%s' 2>&1) && ! grep -iE 'failed|error' <<<"$said" || {
      echo "$said" >&2
      exit 1
    }
    """
        .formatted(all, QemuGuest.name(opened));
  }

  /** The output of the guardian and of its agents. */
  public String log() throws IOException, InterruptedException {
    return guardian == null ? "" : guardian.output();
  }

  @Override
  public void close() {
    client.close();
    http.close();
  }
}
