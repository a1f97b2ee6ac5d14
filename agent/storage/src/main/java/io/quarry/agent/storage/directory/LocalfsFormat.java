package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** A directory on any POSIX filesystem, also one that several hosts have mounted. */
public final class LocalfsFormat implements RepositoryFormat {
  public static final String NAME = "localfs-1.0";
  private static final String PATH = "path";
  private static final String GROUP = "group";
  private static final String IMMUTABLE = "immutable";
  private static final Set<String> PARAMETERS = Set.of(PATH, GROUP, IMMUTABLE);

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void checkParameters(Map<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!PARAMETERS.contains(name)) {
        throw StorageException.invalid(
            "connectionParameters." + name,
            NAME + " has no parameter " + name,
            "give path, the repository's directory, and, if at all, group, that of the volumes, and"
                + " immutable");
      }
    }
    String path = parameters.get(PATH);
    if (path == null || !path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw StorageException.invalid(
          "connectionParameters.path",
          path == null ? "path is missing" : "path is not absolute: " + path,
          "give the absolute path of the repository's directory");
    }
    var _ = options(parameters);
  }

  private static VolumeOptions options(Map<String, String> parameters) {
    return VolumeOptions.ofHost(group(parameters), immutable(parameters));
  }

  private static boolean immutable(Map<String, String> parameters) {
    return switch (parameters.getOrDefault(IMMUTABLE, "false")) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw StorageException.invalid(
              "connectionParameters.immutable",
              "immutable is neither true nor false: " + parameters.get(IMMUTABLE),
              "give immutable as true or false");
    };
  }

  private static int group(Map<String, String> parameters) {
    String group = parameters.get(GROUP);
    if (group == null) {
      return VolumeOptions.ANY;
    }
    return Users.group(group)
        .orElseThrow(() ->
            StorageException.invalid(
                "connectionParameters.group",
                "this host has no group " + group,
                "name the group that QEMU runs in, for example kvm, or give its number"));
  }

  private static Path path(Map<String, String> parameters) {
    return Path.of(String.valueOf(parameters.get(PATH))).normalize();
  }

  @Override
  public DirectoryStorage connect(Map<String, String> parameters, boolean create, String writer) {
    checkParameters(parameters);
    return DirectoryConnection.at(
        path(parameters),
        root -> {
          requireSafe(root, create);
          return DirectoryConnection.connect(NAME, root, create, writer, options(parameters));
        });
  }

  /**
   * Repositories of this format may be on NFS: earlier versions made them. Options of the mount
   * decide whether this host sees new records in time.
   */
  private static void requireSafe(Folder root, boolean create) throws IOException {
    if (!root.filesystem().nfs()) {
      return;
    }
    if (create && root.read(Genesis.FILE, GenesisFile.BYTES_MAX) == null) {
      throw DirectoryConnection.unusable(
          root.path(),
          root.path() + " is on NFS: no repository of the format " + NAME + " is made there",
          "connect it as nfs-3.4, with the same path or with server and export");
    }
    SafeMount.require(root);
  }

  @Override
  public void rekey(Map<String, String> parameters) {
    checkParameters(parameters);
    DirectoryConnection.rekey(NAME, path(parameters));
  }
}
