package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.OddFiles;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 12.22 and 12.23: volumes are files of the repository alone. */
final class VolumeFilesTest {
  private static final byte[] SECRET = {4, 7, 1, 1};

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path outside;

  @SuppressWarnings("NullAway.Init")
  private RepositoryStorage storage;

  @SuppressWarnings("NullAway.Init")
  private VolumeFiles files;

  @BeforeEach
  void connect() throws IOException {
    Path root = Files.createDirectory(directory.resolve("repository"));
    outside = Files.write(directory.resolve("outside"), SECRET);
    storage = new LocalfsFormat().connect(Map.of("path", root.toString()), true, "host@life");
    files = new VolumeFiles(storage);
  }

  @AfterEach
  void disconnect() {
    storage.close();
    assertThat(outside).hasBinaryContent(SECRET);
  }

  private static Volume volume(VolumeFormat format) {
    return new Volume("v", "image", new Shape(format, 1 << 20, null), Origin.NONE);
  }

  private Path place(VolumeFormat format) {
    return storage.volumes().path(volume(format).fileOfEpoch(1));
  }

  @ParameterizedTest
  @EnumSource
  void foreignFileOfAVolumesNameIsNotWrittenTo(OddFiles odd) throws Exception {
    for (VolumeFormat format : VolumeFormat.values()) {
      Volume volume = volume(format);
      odd.make(place(format), outside);
      assertThatThrownBy(
              () -> files.makeEmpty(volume, volume.fileOfEpoch(1), RepositoryState.EMPTY))
          .isInstanceOf(FileFailure.Exists.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void noToolGetsThePathOfAForeignFile(OddFiles odd) throws Exception {
    for (VolumeFormat format : VolumeFormat.values()) {
      String name = volume(format).fileOfEpoch(1);
      odd.make(place(format), outside);
      OddFiles.refused(() -> storage.volumes().layer(name, format).requireFile());
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECTORY")
  void removalFreesTheNameAlone(OddFiles odd) throws Exception {
    odd.make(place(VolumeFormat.RAW), outside);
    files.removeAll(volume(VolumeFormat.RAW), 1);
    assertThat(storage.volumes().names()).isEmpty();
  }

  @Test
  void newVolumeIsForItsGroup() throws Exception {
    for (VolumeFormat format : VolumeFormat.values()) {
      Volume volume = volume(format);
      files.makeEmpty(volume, volume.fileOfEpoch(1), RepositoryState.EMPTY);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place(format))))
          .isEqualTo("rw-rw----");
    }
  }
}
