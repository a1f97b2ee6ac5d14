package io.quarry.it.frozen;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** One host whose agent and QEMUs run as two users with a common group; neither user is root. */
record TwoUsers(Box box, StorageClient client) implements AutoCloseable {
  static final int AGENT = 12_345;
  static final String MAIN = "main";
  static final String OTHER = "other";
  static final long SIZE = 64 << 20;
  private static final String OWN = AGENT + ":" + Qemu.GROUP;
  static final String WRITABLE = "rw-rw---- " + OWN;
  static final String FROZEN = "r--r----- " + OWN;

  static TwoUsers start(Path directory) throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    // The agent may read all files, since root owns a build's class path, but may write only its
    // own.
    String become =
        "chown -R %1$d:%2$d '%3$s' && exec setpriv --reuid %1$d --regid %2$d --clear-groups"
                .formatted(AGENT, Qemu.GROUP, directory)
            + " --inh-caps +dac_read_search --ambient-caps +dac_read_search -- \"$@\"";
    LocalClusterOptions options = LocalClusterOptions.in(directory);
    Box box =
        Box.start(
            new LocalClusterOptions(
                1,
                directory,
                options.sessionTimeout(),
                options.externalZooKeeper(),
                options.javaOptions(),
                options.agentConfig(),
                options.guardianArguments(),
                List.of("sh", "-c", become, "agent")));
    try {
      for (String repoId : List.of(MAIN, OTHER)) {
        Path root = Files.createDirectories(box.repository(repoId));
        Qemu.run(List.of("chown", "-R", OWN, root.resolveSibling(".").toString()));
        box.connect(repoId);
        box.awaitSdm(repoId, 0);
      }
    } catch (Exception | AssertionError failure) {
      box.close();
      throw failure;
    }
    return new TwoUsers(box, box.client(0));
  }

  String disk() {
    String disk = Box.disk(client, MAIN, SIZE).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    return disk;
  }

  String snapshot(String disk) {
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    return snapshot;
  }

  /** The answer of opening the disk, from which a new domain would be defined. */
  OpenedImage opened(String disk) {
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "domain"), null);
    client.closeImage(MAIN, disk, opened.openId(), null);
    return opened;
  }

  List<Problem> problems(String imageId) {
    return client.checkStorageRepository(MAIN, CheckOptions.DEFAULT).problems().stream()
        .filter(problem -> imageId.equals(problem.imageId()))
        .toList();
  }

  String etag(String imageId) throws Exception {
    try (var data = client.downloadImage(MAIN, imageId, DownloadRequest.WHOLE)) {
      return data.etag();
    }
  }

  static String mode(String file) throws Exception {
    Path path = Path.of(file);
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
        + " "
        + Files.getAttribute(path, "unix:uid")
        + ":"
        + Files.getAttribute(path, "unix:gid");
  }

  @Override
  public void close() {
    box.close();
  }
}
