package io.quarry.agent.storage.directory;

import static io.quarry.agent.storage.directory.DirectoryConnection.unusable;

import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.storage.Genesis;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The user and the group of a repository's files, as numbers that all hosts share. The genesis
 * record says them. A file server may map users, so a file that the agent makes shows the user.
 */
final class Ownership {
  private static final int NOBODY = 65_534;

  private final Folder root;
  private final VolumeOptions options;

  Ownership(Folder root, VolumeOptions options) {
    this.root = root;
    this.options = options;
  }

  /** The genesis record of a new repository, whose user is that of this agent's files. */
  Genesis chosen(Genesis fresh) throws IOException {
    FileStatus made = made();
    if (options.owner() != VolumeOptions.ANY) {
      requireMakes(options.owner(), made.uid());
    }
    return fresh.withOwners(made.uid(), chosenGroup(made));
  }

  private int chosenGroup(FileStatus made) {
    return options.group() == VolumeOptions.ANY ? made.gid() : options.group();
  }

  /** The group of the repository, whose genesis record must fit the parameters and this agent. */
  int agreedGroup(Genesis genesis) throws IOException {
    Integer owner = genesis.owner();
    Integer group = genesis.group();
    if (owner == null || group == null) {
      throw unusable(
          root.path(),
          root.path(Genesis.FILE) + " names no owner and no group",
          "restore that file");
    }
    requireSame("owner", options.owner(), owner);
    requireSame("group", options.group(), group);
    requireMakes(owner, made().uid());
    return group;
  }

  private FileStatus made() throws IOException {
    try (Folder temporary = root.folder(DirectoryConnection.TEMPORARY)) {
      return Probe.made(temporary);
    }
  }

  private void requireSame(String name, int given, int agreed) {
    if (given != VolumeOptions.ANY && given != agreed) {
      throw StorageException.invalid(
          "connectionParameters." + name,
          "the repository was created with " + name + " " + agreed + ", not " + given,
          "give " + name + " as " + agreed + ", or leave the parameter out");
    }
  }

  private void requireMakes(int owner, int made) {
    if (made == owner) {
      return;
    }
    Path path = root.path();
    String found =
        "files that this agent makes in " + path + " belong to user " + made + ", not to " + owner;
    int user = Users.effective();
    throw made == user
        ? unusable(path, found, "run the agents of all hosts as user " + owner)
        : unusable(
            path,
            found + ": the file server maps user " + user + (made == NOBODY ? " to nobody" : ""),
            "run the agents of all hosts as user "
                + owner
                + (owner == 0
                    ? ", and export with no_root_squash"
                    : ", and export without all_squash"));
  }
}
