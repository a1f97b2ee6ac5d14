package io.quarry.coordinator.cluster;

import org.junit.jupiter.api.AfterEach;

/** One server and any number of agents per test. */
abstract class ClusterTest {
  final LocalZooKeeper server = new LocalZooKeeper();
  final Agents agents = new Agents();

  @AfterEach
  void closeAll() throws Exception {
    agents.close();
    server.close();
  }

  final ClusterConnection connect() throws InterruptedException {
    return agents.connect(server.connectString());
  }

  final void print(String what, long millis) {
    System.out.printf("%s: %d ms%n", what, millis);
  }
}
