package io.quarry.it.clvm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.clvm.ClvmConnection;
import io.quarry.agent.storage.clvm.ClvmConnection.Connected;
import io.quarry.agent.storage.clvm.ClvmParameters;
import io.quarry.common.api.StorageException;
import io.quarry.it.log.Committer;
import io.quarry.it.log.LogJudge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A host that connects a repository as an agent does. Prints a line for each thing that it sees.
 */
final class ClvmHost {
  private static final Committer.Turns TURNS =
      new Committer.Turns(5, 10, Duration.ofMillis(100), Duration.ofSeconds(2));

  private final ClvmConnection connection;

  /** What a host does with the repository. */
  private interface Use {
    void of(Connected connected) throws Exception;
  }

  /**
   * @param name one letter, from which the key of the host follows
   */
  ClvmHost(String name, Path stateDirectory) throws IOException {
    String digits = HexFormat.of().formatHex(name.getBytes(US_ASCII));
    this.connection =
        new ClvmConnection(
            new Spawner(),
            Files.createDirectories(stateDirectory),
            "%32s".formatted(digits).replace(' ', '0'));
  }

  Connected connect(String parameters, boolean create) {
    Map<String, String> values = new HashMap<>();
    for (String word : parameters.split(" ", -1)) {
      String[] both = word.split("=", 2);
      values.put(both[0], both[1]);
    }
    return connection.connect(ClvmParameters.of(values), create);
  }

  /** The refusal in words, or what was connected. */
  String outcome(String parameters, boolean create) {
    try (Connected connected = connect(parameters, create)) {
      return "connected " + connected.genesis().key();
    } catch (StorageException e) {
      return e.code() + " | " + e.subject() + " | " + e.getMessage() + " | " + e.remedy();
    }
  }

  /**
   * Arguments: the host's name, its state directory, what to do, the parameters of the connection,
   * and more.
   */
  public static void main(String[] args) throws Exception {
    ClvmHost host = new ClvmHost(args[0], Path.of(args[1]));
    String more = args.length > 4 ? args[4] : "";
    switch (args[2]) {
      case "outcome" -> System.out.println("OUTCOME " + host.outcome(args[3], false));
      case "create" -> host.use(args[3], true, ClvmHost::show);
      case "connect" -> host.use(args[3], false, ClvmHost::show);
      case "commit" -> host.use(args[3], false, connected -> commit(connected, args[0], more));
      case "grow" -> host.use(args[3], false, ClvmHost::refresh);
      case "judge" -> host.use(args[3], false, connected -> judge(connected, more));
      default -> throw new IllegalArgumentException(args[2]);
    }
  }

  private void use(String parameters, boolean create, Use use) throws Exception {
    try (Connected connected = connect(parameters, create)) {
      use.of(connected);
    }
  }

  private static void show(Connected connected) throws IOException {
    System.out.println("GENESIS " + connected.genesis().key());
    System.out.println("KEY " + connected.key());
    System.out.println("DATA " + connected.data().path() + " " + connected.data().bytes());
    showSlot(connected);
  }

  private static void showSlot(Connected connected) throws IOException {
    connected.slot().slot().ifPresent(slot -> System.out.println("SLOT " + slot));
  }

  private static void commit(Connected connected, String name, String commits)
      throws IOException, InterruptedException {
    new Committer(connected.log(), name, TURNS).commit(Integer.parseInt(commits));
    showSlot(connected);
  }

  private static void refresh(Connected connected) throws IOException {
    System.out.println("BEFORE " + connected.data().bytes());
    System.out.println("AFTER " + connected.volumes().refresh(connected.data()).bytes());
  }

  private static void judge(Connected connected, String acknowledged) throws IOException {
    List<String> ids = new ArrayList<>();
    Collections.addAll(ids, acknowledged.split(",", -1));
    System.out.println("VERDICT " + LogJudge.judge(connected.log(), ids, List.of()).allIsWell());
  }
}
