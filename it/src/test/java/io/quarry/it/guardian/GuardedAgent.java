package io.quarry.it.guardian;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarry.agent.guardian.ExitCode;
import io.quarry.agent.guardian.GuardianLink;
import io.quarry.coordinator.cluster.ProofOfDeath;
import io.quarry.coordinator.cluster.SessionInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/**
 * The smallest agent: a session with an ephemeral znode, a child that dies with the agent, and a
 * detached process that does not.
 */
final class GuardedAgent {
  static final String HOSTS = "/hosts";
  static final String PROOFS = "/proofs";
  static final String ENDED_GENTLY = "ended-gently";

  private GuardedAgent() {}

  public static void main(String[] arguments) throws Exception {
    Path config = Path.of(arguments[1]);
    Path directory = config.resolveSibling("work");
    Files.createDirectories(directory);
    Properties settings = new Properties();
    try (var in = Files.newInputStream(config)) {
      settings.load(in);
    }
    if (settings.containsKey("wrong")) {
      System.exit(ExitCode.CONFIGURATION);
    }
    GuardianLink link = GuardianLink.fromEnvironment().orElseThrow();
    startChildren();

    Duration timeout = Duration.parse(settings.getProperty("sessionTimeout"));
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper client =
        new ZooKeeper(
            settings.getProperty("zookeeper"),
            Math.toIntExact(timeout.toMillis()),
            event -> {
              if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
              }
            });
    connected.await();
    String incarnation = link.incarnation();
    link.sessionChanged(
        new SessionInfo(
            settings.getProperty("zookeeper"),
            client.getSessionId(),
            client.getSessionPasswd(),
            Duration.ofMillis(client.getSessionTimeout())),
        new ProofOfDeath(List.of(PROOFS), PROOFS + "/" + incarnation, incarnation.getBytes(UTF_8)));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> endGently(directory, client)));
    client.create(
        HOSTS + "/" + incarnation, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    Thread.currentThread().join();
  }

  private static void startChildren() throws IOException, InterruptedException {
    new ProcessBuilder("setpriv", "--pdeathsig", "KILL", "sleep", "1000").start();
    // In a session of its own, without a parent-death signal, orphaned at once.
    new ProcessBuilder("setsid", "--fork", "sh", "-c", "sleep 1000 & wait")
        .inheritIO()
        .start()
        .waitFor();
  }

  private static void endGently(Path directory, ZooKeeper client) {
    try {
      Files.createFile(directory.resolve(ENDED_GENTLY));
      client.close();
    } catch (IOException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
