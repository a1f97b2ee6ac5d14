package io.quarry.agent.fix;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.Contents;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RandomRequests;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One repository of a story with real files, and the expected content of its images. */
final class FilePlace implements RandomRequests.View {
  private final Contents contents = new Contents();
  private final Writes writes;
  private final Path scratch;
  private ConnectedRepository repository;

  FilePlace(ConnectedRepository repository, Writes writes, Path scratch) {
    this.repository = repository;
    this.writes = writes;
    this.scratch = scratch;
  }

  /** The agent begins another life. */
  void reconnected(ConnectedRepository again) {
    assertThat(again.key()).isEqualTo(repository.key());
    repository = again;
  }

  @Override
  public String key() {
    return repository.key();
  }

  @Override
  public RepositoryState state() {
    return repository.state().repository();
  }

  ConnectedRepository repository() {
    return repository;
  }

  Contents contents() {
    return contents;
  }

  /**
   * Null when the SDM refused the request.
   *
   * @param source the content of the image to be copied, for a copy
   */
  @Nullable Reply ask(Request request, @Nullable List<String> source) {
    RepositoryState before = state();
    try {
      Reply reply = repository.commit(UUID.randomUUID().toString(), request);
      contents.follow(request, before, repository.atLeast(reply.commit()).repository(), source);
      return reply;
    } catch (StorageException e) {
      assertThat(e.code().retryable() || e.code() == ErrorCode.INTERNAL)
          .as("%s: %s", request, e)
          .isFalse();
      return null;
    }
  }

  void write(Open open, String what) throws IOException, InterruptedException {
    Image image = requireNonNull(state().images().get(open.imageId()));
    writes.write(
        what,
        new Chains(key -> Optional.empty()).of(repository.storage(), state(), open),
        image.size());
    contents.write(image.id(), what);
  }

  /** Does an agent's steps at the beginning and the end of an upload. */
  void store(String what, String file, long size) throws IOException {
    writes.store(what, repository.storage().volumes().path(file), size);
  }

  /** The image has the expected content, and so have all opens of it. */
  void check(Image image) throws IOException, InterruptedException {
    if (state().isWhole(image)) {
      check(
          new Chains(key -> Optional.empty()).of(repository.storage(), state(), image),
          image,
          image.toString());
    }
    for (String id : state().opensOf(image.id())) {
      Open open = requireNonNull(state().opens().get(id));
      if (open.fills() == null) {
        check(
            new Chains(key -> Optional.empty()).of(repository.storage(), state(), open),
            image,
            open.toString());
      }
    }
  }

  private void check(Chain chain, Image image, String what)
      throws IOException, InterruptedException {
    List<String> expected = contents.of(image.id());
    assertThat(expected).as("model of %s", image).isNotNull();
    writes.check(chain, Objects.requireNonNull(expected), image.size(), scratch, what);
  }

  /** All images are in their best state, and no other file is left. */
  void checkBest(StoryHost host) throws Exception {
    for (Image image : state().images().values()) {
      check(image);
      if (state().stateOf(image) != ImageState.OPTIMIZED) {
        assertThat(Condition.reason(state(), image)).as("%s", image).endsWith("is missing");
      }
    }
    assertThat(state().volumes()).hasSameSizeAs(state().images());
    assertThat(names("volumes"))
        .containsExactlyInAnyOrderElementsOf(
            state().volumes().values().stream().map(Volume::file).map(String::valueOf).toList());
    assertThat(names("tmp"))
        .as("temporary files besides the pulse of a repository that is in use")
        .allMatch(name -> name.startsWith("pulse."));
    assertThat(names("fixes")).as("claims and checkpoints of fixes").isEmpty();
    for (Volume volume : state().volumes().values()) {
      if (volume.format() == VolumeFormat.QCOW2) {
        writes.checkSound(repository.storage().volumes().path(String.valueOf(volume.file())));
      }
    }
    var report = host.check(repository);
    assertThat(report.fixes()).as("fixes that check finds").isEmpty();
    assertThat(report.problems())
        .as("problems that check finds")
        .allMatch(problem -> problem.kind() == Problem.Kind.MISSING_BASE);
  }

  private List<String> names(String directory) throws IOException {
    try (Stream<Path> entries =
        Files.list(Path.of(repository.storage().place()).resolve(directory))) {
      return entries.map(Path::getFileName).map(String::valueOf).sorted().toList();
    }
  }
}
