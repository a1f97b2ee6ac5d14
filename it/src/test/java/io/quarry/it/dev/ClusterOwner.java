package io.quarry.it.dev;

import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import java.nio.file.Path;
import java.time.Duration;

/** Owns a cluster until it is killed. */
final class ClusterOwner {
  private ClusterOwner() {}

  @SuppressWarnings("SystemOut")
  public static void main(String[] arguments) throws Exception {
    LocalCluster cluster =
        LocalCluster.start(
            LocalClusterOptions.in(Path.of(arguments[0]))
                .withGuardianArguments("--agent-main", HealthyAgent.class.getName()));
    cluster.awaitReady(Duration.ofMinutes(1));
    System.out.printf(
        "%d %d %d%n",
        cluster.zooKeeper().pid(),
        cluster.host(0).guardianPid(),
        cluster.host(0).agentPid().orElseThrow());
    Thread.currentThread().join();
  }
}
