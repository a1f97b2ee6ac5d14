package io.quarry.it.nfs;

import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.nfs.NfsFormat;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Does what an agent does that ends and starts again while its repository is connected. Prints
 * {@code MOUNTS moment ids} at each moment.
 */
final class Restarter {
  private static final Path MOUNT_POINTS = Path.of("/run/quarry-kept");

  private Restarter() {}

  /** Arguments: the file server, the export. */
  public static void main(String[] args) throws IOException {
    Map<String, String> parameters = Map.of("server", args[0], "export", args[1]);
    NfsFormat before = new NfsFormat(MOUNT_POINTS, "restarted", new Spawner());
    RepositoryStorage connected = before.connect(parameters, true, "restarted@1");
    print("connected");
    before.agentEnds();
    connected.close();
    print("ended");

    NfsFormat after = new NfsFormat(MOUNT_POINTS, "restarted", new Spawner());
    Map<String, String> wrong = new HashMap<>(parameters);
    wrong.put("group", "4711");
    try {
      after.connect(wrong, false, "restarted@2").close();
    } catch (StorageException e) {
      System.out.println("REFUSED " + e.getMessage());
    }
    print("refused");
    RepositoryStorage again = after.connect(parameters, false, "restarted@3");
    RepositoryStorage beside = after.connect(parameters, false, "restarted@4");
    print("again");
    again.close();
    print("used");
    beside.disconnects();
    beside.close();
    print("disconnected");
  }

  private static void print(String moment) throws IOException {
    List<Long> ids =
        MountTable.read().mounts().stream()
            .filter(mount -> mount.point().startsWith(MOUNT_POINTS))
            .map(Mount::id)
            .toList();
    System.out.println("MOUNTS " + moment + " " + ids);
  }
}
