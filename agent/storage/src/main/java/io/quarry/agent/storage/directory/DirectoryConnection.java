package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.GenesisCodec;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Connects a directory, for every format whose repositories are directories. */
public final class DirectoryConnection {
  static final String TEMPORARY = "tmp";
  private static final String VOLUMES = "volumes";
  private static final List<String> DIRECTORIES = List.of("log", "fixes", VOLUMES, TEMPORARY);

  /** Names that a fresh filesystem may contain and still count as empty. */
  private static final Set<String> HARMLESS = Set.of("lost+found");

  private final Folder root;
  private final String format;
  private final GenesisFile file;
  private final String writer;
  private final VolumeOptions options;
  private final Ownership owners;

  private DirectoryConnection(String format, Folder root, String writer, VolumeOptions options) {
    this.format = format;
    this.root = root;
    this.file = new GenesisFile(format, root);
    this.writer = writer;
    this.options = options;
    this.owners = new Ownership(root, options);
  }

  /** A use of the open directory of a repository. */
  public interface Use<T> {
    T of(Folder root) throws IOException;
  }

  /** What the operator has to do. */
  public interface Remedy {
    /**
     * @param owner of the directory; {@link VolumeOptions#ANY} if unknown
     */
    String of(IOException failure, int owner);
  }

  /** Opens the directory for a use; a failure says why the directory cannot be used. */
  static <T> T at(Path path, Use<T> use) {
    return at(
        path,
        (_, _) ->
            "see that this host may write there and that the filesystem has hard links and locks",
        use);
  }

  /**
   * Opens the directory for a use; a failure says why the directory cannot be used.
   *
   * @param remedy for the operator
   */
  public static <T> T at(Path path, Remedy remedy, Use<T> use) {
    try (Folder root = Folder.open(path)) {
      return use.of(root);
    } catch (IOException e) {
      if (e instanceof FileFailure failure && failure.isStale()) {
        throw unusable(
            path,
            path
                + " shows a directory that the file server does not have any more: "
                + e.getMessage(),
            "see that the file server exports the directory; then run umount "
                + path
                + " as root, and connect the repository again");
      }
      if (!Files.isDirectory(path)) {
        throw unusable(
            path,
            "there is no directory " + path,
            "make the directory, or mount what belongs there");
      }
      throw unusable(
          path, path + " cannot be used: " + e.getMessage(), remedy.of(e, ownerOf(path)));
    }
  }

  /** {@link VolumeOptions#ANY} if that cannot be found out. */
  private static int ownerOf(Path path) {
    try {
      return Files.getAttribute(path, "unix:uid") instanceof Integer owner
          ? owner
          : VolumeOptions.ANY;
    } catch (IOException e) {
      return VolumeOptions.ANY;
    }
  }

  public static StorageException unusable(Path root, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, root.toString(), remedy);
  }

  /**
   * Probes everything that safety needs, then connects.
   *
   * @param format the name of the format
   * @param root stays open
   * @param create whether an empty directory may be made into a repository
   * @param writer unique among all processes that use the storage
   */
  public static DirectoryStorage connect(
      String format, Folder root, boolean create, String writer, VolumeOptions options)
      throws IOException {
    return new DirectoryConnection(format, root, writer, options).connect(create);
  }

  /** Gives the repository in the directory a new key. */
  public static void rekey(String format, Path path) {
    try (Folder root = Folder.open(path)) {
      new GenesisFile(format, root).rekey();
    } catch (IOException e) {
      throw unusable(
          path,
          path + " cannot be given a new key: " + e.getMessage(),
          "see that this host may write there");
    }
  }

  private DirectoryStorage connect(boolean create) throws IOException {
    Genesis genesis = genesis(create);
    makeDirectories();
    long largestFile = probe();
    int group = options.agreed() ? owners.agreedGroup(genesis) : options.group();
    if (group != VolumeOptions.ANY) {
      requireGroup(group);
      giveVolumes(group);
    }
    DirectoryVolumes.Protection protection = protection(group);
    return open(root.again(), genesis, largestFile, protection);
  }

  private Genesis genesis(boolean create) throws IOException {
    Genesis found = file.read();
    if (found == null) {
      if (!create) {
        throw unusable(
            root.path(),
            root.path() + " is not a repository: it has no " + Genesis.FILE,
            "mount what belongs there; to make an empty directory into a repository, run"
                + " `quarry repo create`");
      }
      requireEmpty();
      makeDirectories();
      try (DirectorySlotStore slots = new DirectorySlotStore(root.again(), writer)) {
        CommitLog.create(slots);
      }
      // When another host is faster, its genesis counts.
      Genesis fresh = GenesisCodec.fresh(format);
      file.create(options.agreed() ? owners.chosen(fresh) : fresh);
      found = file.read();
    }
    if (found == null) {
      throw new IOException(root.path(Genesis.FILE) + " is gone as soon as it was made");
    }
    return found;
  }

  private void requireEmpty() throws IOException {
    for (String name : root.names()) {
      if (!HARMLESS.contains(name) && !isOurEmptyDirectory(name)) {
        throw unusable(
            root.path(),
            root.path() + " is neither a repository nor empty: it holds " + name,
            "use an empty directory");
      }
    }
  }

  /**
   * A creation that was interrupted has left the directory, or another host is making it right now.
   */
  private boolean isOurEmptyDirectory(String name) throws IOException {
    if (!DIRECTORIES.contains(name) || root.status(name).kind() != FileStatus.Kind.DIRECTORY) {
      return false;
    }
    if (name.equals(TEMPORARY)) {
      return true;
    }
    try (Folder directory = root.folder(name)) {
      return directory.names().stream()
          .allMatch(each -> name.equals("log") && each.equals(CommitLog.CREATED));
    }
  }

  /** Each directory must be on this very storage: a link would lead to another one. */
  private void makeDirectories() throws IOException {
    for (String directory : DIRECTORIES) {
      root.createFolder(directory);
      root.folder(directory).close();
    }
  }

  /** On a full storage the reserve provides the space that the probe takes for a moment. */
  private long probe() throws IOException {
    try (Folder temporary = root.folder(TEMPORARY);
        DirectorySlotStore slots = new DirectorySlotStore(root.again(), writer)) {
      return slots.fromReserve(() -> {
        Probe.run(temporary);
        return Probe.largestFile(temporary, DirectoryStorage.LARGEST_FILE_ASKED);
      });
    }
  }

  /**
   * QEMU opens files in the volumes' folder. The files themselves are given to the group later, one
   * by one.
   */
  private void giveVolumes(int group) throws IOException {
    if (root.status(VOLUMES).gid() == group) {
      return;
    }
    try (Folder volumes = root.folder(VOLUMES)) {
      volumes.setGroup(group);
    } catch (FileFailure e) {
      throw notGiven(root.path(VOLUMES).toString(), group, e);
    }
  }

  /** The agent gives each volume to the group. */
  private void requireGroup(int group) throws IOException {
    try (Folder temporary = root.folder(TEMPORARY)) {
      Probe.giveGroup(temporary, group);
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.FORBIDDEN) {
        throw e;
      }
      throw notGiven("a file in " + root.path(TEMPORARY), group, e);
    }
  }

  private StorageException notGiven(String what, int group, FileFailure failure) {
    return unusable(
        root.path(),
        what + " cannot be given to group " + group + ": " + failure.getMessage(),
        "make the agent's user a member of the group, and the owner of the directory");
  }

  private DirectoryVolumes.Protection protection(int group) throws IOException {
    try (Folder temporary = root.folder(TEMPORARY)) {
      boolean modes = Probe.keepsModes(temporary);
      FileFailure notImmutable = notImmutable(temporary);
      if (options.immutable() && notImmutable != null) {
        throw unusable(
            root.path(),
            root.path() + " has no immutable files for this agent: " + notImmutable.getMessage(),
            "run the agent as root or with CAP_LINUX_IMMUTABLE, on XFS, ext4 or btrfs, or connect"
                + " without the parameter immutable");
      }
      return new DirectoryVolumes.Protection(
          group, modes, options.immutable(), notImmutable == null);
    }
  }

  /** The reason why this agent cannot make files immutable there; null when it can. */
  private static @Nullable FileFailure notImmutable(Folder temporary) throws IOException {
    try {
      Probe.immutable(temporary);
      return null;
    } catch (FileFailure e) {
      if (e.kind() == FileFailure.Kind.NO_SPACE) {
        throw e;
      }
      return e;
    }
  }

  private DirectoryStorage open(
      Folder opened, Genesis genesis, long largestFile, DirectoryVolumes.Protection protection)
      throws IOException {
    try {
      return new DirectoryStorage(opened, genesis, largestFile, protection, writer);
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }
}
