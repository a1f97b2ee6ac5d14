package io.quarry.it.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Images in two repositories that depend on each other, each with a plain copy of its content
 * beside it. Each call goes to a random host.
 */
final class Family {
  static final long SIZE = 16 << 20;

  private static final int WRITES = 4;
  private static final int WRITE_BYTES_MAX = 256 << 10;
  private static final int SECTOR_BYTES = 512;

  private final Box box;
  private final Random random;
  private final Path directory;
  private final List<Member> members = new ArrayList<>();

  /**
   * @param content a raw file with the expected content of the image
   */
  record Member(String repoId, String imageId, Path content) {}

  Family(Box box, Random random, Path directory) {
    this.box = box;
    this.random = random;
    this.directory = directory;
  }

  /** Makes an empty disk. */
  Member disk(String repoId) throws Exception {
    return born(repoId, Box.disk(client(), repoId, SIZE));
  }

  /** Makes a disk over a snapshot of the same repository. */
  Member diskOver(Member base) throws Exception {
    var request = Box.newDisk(SIZE, base.imageId(), ImageOptions.DEFAULT);
    return born(base.repoId(), client().createVirtualDisk(base.repoId(), request, null));
  }

  Member snapshot(Member disk) throws Exception {
    return born(disk.repoId(), Box.snapshot(client(), disk.repoId(), disk.imageId()));
  }

  /** Begins a copy, and does not wait for its end. */
  Member copy(Member source, String repoId) throws IOException {
    CreatedImage created = Copying.copy(client(), repoId, source.imageId(), ImageOptions.DEFAULT);
    Member copy = member(repoId, created);
    Files.copy(source.content(), copy.content());
    members.add(copy);
    return copy;
  }

  Member whole(Member member) {
    Box.awaitOptimized(client(), member.repoId(), member.imageId());
    return member;
  }

  private Member born(String repoId, CreatedImage created) throws Exception {
    Member member = whole(member(repoId, created));
    members.add(member);
    keep(member);
    return member;
  }

  private Member member(String repoId, CreatedImage created) {
    everyHostSees(repoId, created.commit());
    String id = created.imageId();
    return new Member(repoId, id, directory.resolve(repoId + "." + id + ".raw"));
  }

  /** From now on each client asks for a state that includes the commit. */
  private void everyHostSees(String repoId, long commit) {
    for (String hostId : box.hostIds()) {
      box.client(hostId)
          .listImages(
              repoId, new ImageQuery(null, null, Visibility.VISIBLE, null, null, 1, commit));
    }
  }

  /** A guest writes data to some places, and zeros to others. */
  void write(Member disk) throws Exception {
    List<String> commands = new ArrayList<>();
    for (int write = 0; write < WRITES; write++) {
      int length = SECTOR_BYTES * (1 + random.nextInt(WRITE_BYTES_MAX / SECTOR_BYTES));
      long offset = SECTOR_BYTES * random.nextLong((SIZE - length) / SECTOR_BYTES);
      String what = random.nextInt(WRITES) == 0 ? "-z" : "-P " + (1 + random.nextInt(255));
      commands.add("write %s %d %d".formatted(what, offset, length));
    }
    QemuGuest.use(client(), disk.repoId(), disk.imageId(), commands.toArray(String[]::new));
    keep(disk);
  }

  private void keep(Member member) throws Exception {
    var _ = QemuGuest.export(client(), member.repoId(), member.imageId(), member.content());
  }

  List<Member> inAnyOrder() {
    List<Member> order = new ArrayList<>(members);
    Collections.shuffle(order, random);
    return order;
  }

  void remove(Member member) {
    long commit =
        client()
            .removeImage(member.repoId(), member.imageId(), RemoveImageOptions.DEFAULT, null)
            .commit();
    everyHostSees(member.repoId(), commit);
    members.remove(member);
  }

  /** Compares the remaining usable images, including their chains. */
  void assertIntact() throws Exception {
    for (Member member : members) {
      StorageClient client = client();
      var now = new StatusQuery(Duration.ZERO, null, 0);
      if (client.getImageStatus(member.repoId(), member.imageId(), now).state()
          == ImageState.OPTIMIZED) {
        assertIntact(client, member);
      }
    }
  }

  private static void assertIntact(StorageClient client, Member member) throws Exception {
    OpenedImage opened =
        client.openImage(member.repoId(), member.imageId(), new OpenRequest(true, "test"), null);
    try {
      assertThat(opened.size()).isEqualTo(SIZE);
      QemuGuest.assertContent(opened, member.content());
    } finally {
      client.closeImage(member.repoId(), member.imageId(), opened.openId(), null);
    }
  }

  private StorageClient client() {
    List<String> hosts = box.hostIds();
    return box.client(hosts.get(random.nextInt(hosts.size())));
  }
}
