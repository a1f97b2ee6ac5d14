package io.quarry.agent.dev;

import java.nio.file.Path;
import java.util.List;

/**
 * An embedded ZooKeeper as a process of its own, which tests can kill: {@code --data DIR --port N}.
 */
public final class ZooKeeperMain {
  private static final int USAGE = 2;

  private ZooKeeperMain() {}

  public static void main(String[] arguments) throws Exception {
    List<String> words = List.of(arguments);
    if (words.size() != 4 || !words.get(0).equals("--data") || !words.get(2).equals("--port")) {
      System.err.println("Usage: ZooKeeperMain --data DIR --port N");
      System.exit(USAGE);
    }
    EmbeddedZooKeeper zooKeeper =
        EmbeddedZooKeeper.start(Path.of(words.get(1)), Integer.parseInt(words.get(3)));
    Runtime.getRuntime().addShutdownHook(new Thread(zooKeeper::close, "stop"));
    Thread.currentThread().join();
  }
}
