package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.agent.storage.directory.DirectoryConnection;
import io.quarry.agent.storage.directory.DirectoryStorage;
import io.quarry.agent.storage.directory.SafeMount;
import io.quarry.agent.storage.directory.VolumeOptions;
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
          storage.whenClosed(
              forGood -> mount.end(forGood ? MountPoint.End.DISCONNECTED : MountPoint.End.CLOSED));
          yield storage;
        } catch (RuntimeException | Error e) {
          mount.end(MountPoint.End.FAILED);
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
          SafeMount.require(root);
          return DirectoryConnection.connect(NAME, root, create, writer, parameters.volumes());
        });
  }

  /**
   * @param owner of the directory; {@link VolumeOptions#ANY} if the file server does not say
   */
  private static String remedy(IOException failure, int owner) {
    return switch (FileFailure.kindOf(failure)) {
      case FORBIDDEN -> remedyOfRefusal(owner, Users.effective());
      case READ_ONLY -> "export the directory with the option rw, and mount it for writing";
      case null, default -> FileFailure.remedyOf(failure);
    };
  }

  static String remedyOfRefusal(int owner, int user) {
    boolean root = user == 0;
    if (owner == user) {
      return root
          ? "export the directory with no_root_squash, or run the agents of all hosts as another"
              + " user and give that user the directory (chown)"
          : "on the file server, let user "
              + user
              + " write to the exported directory (chmod u+rwx), and export without all_squash";
    }
    return (owner == VolumeOptions.ANY
            ? "run the agent as the owner of the exported directory"
            : "run the agent as user " + owner)
        + ", as the agents of the other hosts do; for a new repository, run chown "
        + user
        + " on the file server for the exported directory"
        + (root ? ", and export with no_root_squash" : "");
  }

  @Override
  public void rekey(Map<String, String> parameters) {
    switch (NfsParameters.of(parameters).place()) {
      case NfsParameters.Place.Mounted(Path path) -> DirectoryConnection.rekey(NAME, path);
      case NfsParameters.Place.Exported(NfsExport export) -> {
        NfsMounts.Use mount = mounts.mount(export);
        try {
          DirectoryConnection.rekey(NAME, mount.path());
        } finally {
          mount.end(MountPoint.End.CLOSED);
        }
      }
    }
  }

  @Override
  public void agentEnds() {
    mounts.agentEnds();
  }
}
