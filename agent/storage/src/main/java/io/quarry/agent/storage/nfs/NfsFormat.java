package io.quarry.agent.storage.nfs;

import static io.quarry.agent.storage.directory.DirectoryConnection.unusable;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.agent.storage.directory.DirectoryConnection;
import io.quarry.agent.storage.directory.DirectoryStorage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A directory of an NFS server, in the layout of localfs-1.0. The version is that of the format,
 * not of the protocol: the server speaks NFS 4.1 or 4.2. The agent mounts an export itself, or
 * checks the mount that holds a path.
 */
public final class NfsFormat implements RepositoryFormat {
  public static final String NAME = "nfs-3.4";

  /** A child starts, tries two versions of the protocol, and the storage is probed. */
  private static final Duration CONNECT_MAX = Duration.ofSeconds(30);

  private final NfsMounts mounts;

  /**
   * @param mountPoints the directory of mount points, which the agent makes
   * @param clientId what this host is to NFS servers; no other host has the same text
   * @param spawner starts the child that mounts
   */
  public NfsFormat(Path mountPoints, String clientId, Spawner spawner) {
    this.mounts = new NfsMounts(mountPoints, clientId, spawner, NfsMounts.DEADLINE);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void checkParameters(Map<String, String> parameters) {
    var _ = NfsParameters.of(parameters);
  }

  @Override
  public Duration connectMax() {
    return CONNECT_MAX;
  }

  @Override
  public DirectoryStorage connect(Map<String, String> parameters, boolean create, String writer) {
    NfsParameters checked = NfsParameters.of(parameters);
    return switch (checked.place()) {
      case NfsParameters.Place.Mounted(Path path) -> connect(path, checked, create, writer);
      case NfsParameters.Place.Exported(NfsExport export) -> {
        NfsMounts.Use mount = mounts.mount(export);
        try {
          DirectoryStorage storage = connect(mount.path(), checked, create, writer);
          storage.whenClosed(mount::close);
          yield storage;
        } catch (RuntimeException | Error e) {
          mount.close();
          throw e;
        }
      }
    };
  }

  private static DirectoryStorage connect(
      Path path, NfsParameters parameters, boolean create, String writer) {
    return DirectoryConnection.at(
        path,
        NfsFormat::remedy,
        root -> {
          requireSafeMount(root);
          return DirectoryConnection.connect(NAME, root, create, writer, parameters.volumes());
        });
  }

  private static void requireSafeMount(Folder root) throws IOException {
    NfsMountOptions.requireSafe(
        MountTable.read()
            .of(root)
            .orElseThrow(() ->
                unusable(
                    root.path(),
                    "the kernel does not say with which options " + root.path() + " is mounted",
                    "connect by server and export, or use Linux 5.8 or later")),
        root.path());
  }

  private static String remedy(IOException failure) {
    return switch (FileFailure.kindOf(failure)) {
      case FORBIDDEN ->
          "on the file server, give the exported directory to user "
              + Users.effective()
              + " (chown), as whom this agent runs"
              + (Users.mayDoAll() ? "; for root, export with no_root_squash, too" : "");
      case READ_ONLY -> "export the directory with the option rw, and mount it for writing";
      case null, default -> FileFailure.remedyOf(failure);
    };
  }

  @Override
  public void rekey(Map<String, String> parameters) {
    switch (NfsParameters.of(parameters).place()) {
      case NfsParameters.Place.Mounted(Path path) -> DirectoryConnection.rekey(NAME, path);
      case NfsParameters.Place.Exported(NfsExport export) -> {
        try (NfsMounts.Use mount = mounts.mount(export)) {
          DirectoryConnection.rekey(NAME, mount.path());
        }
      }
    }
  }

  @Override
  public void agentEnds() {
    mounts.agentEnds();
  }
}
