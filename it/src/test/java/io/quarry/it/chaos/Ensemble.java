package io.quarry.it.chaos;

import io.quarry.agent.chaos.ZooKeepers;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.dev.DeleteTree;
import io.quarry.agent.dev.Pids;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A real ensemble: each ZooKeeper is a process in a network namespace of its own. */
final class Ensemble implements ZooKeepers, AutoCloseable {
  private static final int CLIENT_PORT = 2181;

  /** By name, since only the cluster package and the like may use ZooKeeper's classes. */
  private static final String MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain";

  private final Spawner spawner = new Spawner();
  private final Network network;
  private final List<String> names;
  private final Path directory;
  private final @Nullable Process[] processes;

  private Ensemble(Network network, List<String> names, Path directory) {
    this.network = network;
    this.names = List.copyOf(names);
    this.directory = directory;
    this.processes = new Process[names.size()];
  }

  static Ensemble start(Network network, List<String> names, Path directory) throws IOException {
    Ensemble ensemble = new Ensemble(network, names, directory);
    for (int node = 0; node < names.size(); node++) {
      Files.createDirectories(ensemble.home(node));
      Files.writeString(ensemble.home(node).resolve("zoo.cfg"), ensemble.settings(node));
      ensemble.start(node);
    }
    return ensemble;
  }

  String connectString() {
    return names.stream()
        .map(name -> network.address(name) + ":" + CLIENT_PORT)
        .collect(Collectors.joining(","));
  }

  private String settings(int node) {
    StringBuilder text = new StringBuilder();
    text.append(
        """
        tickTime=250
        initLimit=40
        syncLimit=12
        minSessionTimeout=1000
        maxSessionTimeout=60000
        maxClientCnxns=0
        admin.enableServer=false
        standaloneEnabled=false
        dataDir=%s
        """
            .formatted(data(node)));
    for (int each = 0; each < names.size(); each++) {
      text.append(
          "server.%d=%s:2888:3888;%d%n"
              .formatted(each + 1, network.address(names.get(each)), CLIENT_PORT));
    }
    return text.toString();
  }

  private Path home(int node) {
    return directory.resolve(names.get(node));
  }

  private Path data(int node) {
    return home(node).resolve("data");
  }

  @Override
  public int size() {
    return names.size();
  }

  @Override
  public void kill(int node) {
    Process running = processes[node];
    if (running != null) {
      running.destroyForcibly().onExit().join();
    }
  }

  @Override
  public void start(int node) throws IOException {
    Files.createDirectories(data(node));
    Files.writeString(data(node).resolve("myid"), Integer.toString(node + 1));
    List<String> words = new ArrayList<>(network.launcher(names.get(node)));
    words.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx96m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dzookeeper.preAllocSize=1024",
            "-cp",
            System.getProperty("java.class.path"),
            MAIN,
            home(node).resolve("zoo.cfg").toString()));
    processes[node] =
        spawner.start(
            new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(
                    ProcessBuilder.Redirect.appendTo(
                        home(node).resolve("zookeeper.log").toFile())));
  }

  @Override
  public void pause(int node) throws IOException, InterruptedException {
    Process running = processes[node];
    if (running != null) {
      Pids.signal(running.pid(), "STOP");
    }
  }

  @Override
  public void resume(int node) throws IOException, InterruptedException {
    Process running = processes[node];
    if (running != null) {
      Pids.resume(running.pid());
    }
  }

  @Override
  public void wipe() throws IOException {
    for (int node = 0; node < names.size(); node++) {
      DeleteTree.of(data(node));
    }
  }

  @Override
  public void close() {
    for (int node = 0; node < names.size(); node++) {
      kill(node);
    }
  }
}
