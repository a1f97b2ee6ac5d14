package io.quarry.it.nfs;

import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.agent.storage.RepositoryFormats;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.agent.storage.nfs.NfsFormat;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Connects repositories one after the other, as an agent does. Prints {@code <name> KEY key} and
 * {@code <name> OPTIONS options} of a repository that is connected, {@code <name> REFUSED code:
 * message; remedy} of another one, and {@code <name> LEFT mounts} after each.
 */
final class Connector {
  private static final int TRIES_MAX = 5;

  private static final Path MOUNT_POINTS = Path.of("/run/quarry-mnt");

  private Connector() {}

  /**
   * Arguments: the host, whether to create, then for each repository a name, a format and
   * parameters, in one word: {@code first nfs-3.4 server=10.0.0.1 export=/one}.
   */
  public static void main(String[] args) throws IOException {
    RepositoryFormats formats =
        new RepositoryFormats(
            List.of(new LocalfsFormat(), new NfsFormat(MOUNT_POINTS, args[0], new Spawner())));
    boolean create = Boolean.parseBoolean(args[1]);
    for (String repository : Arrays.asList(args).subList(2, args.length)) {
      List<String> words = List.of(repository.split(" ", -1));
      String name = words.getFirst();
      Map<String, String> parameters =
          words.stream()
              .skip(2)
              .map(word -> word.split("=", 2))
              .collect(Collectors.toMap(word -> word[0], word -> word[1]));
      RepositoryFormat format = formats.find(words.get(1));
      int tries = 1;
      while (!connect(format, parameters, create, args[0], name) && tries < TRIES_MAX) {
        tries++;
      }
      System.out.println(name + " LEFT " + ours());
    }
  }

  /** False when the file server has not answered in time, as on a machine that is just busy. */
  private static boolean connect(
      RepositoryFormat format,
      Map<String, String> parameters,
      boolean create,
      String host,
      String name)
      throws IOException {
    try (RepositoryStorage storage = format.connect(parameters, create, host + "@1")) {
      System.out.println(name + " KEY " + storage.genesis().key());
      for (Mount mount : ours()) {
        System.out.println(name + " OPTIONS " + mount.options());
      }
      return true;
    } catch (StorageException e) {
      System.out.printf("%s REFUSED %s: %s; %s%n", name, e.code(), e.getMessage(), e.remedy());
      return e.code() != ErrorCode.REPOSITORY_UNRESPONSIVE;
    }
  }

  private static List<Mount> ours() throws IOException {
    return MountTable.read().mounts().stream()
        .filter(mount -> mount.point().startsWith(MOUNT_POINTS))
        .toList();
  }
}
