package io.quarry.agent.demo;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Compares images with their source, twice: as QEMU reads them, and by hash. */
final class CompareImages {
  /** An image that ought to be equal to the source. */
  record Subject(String what, String repoId, String imageId) {
    @Override
    public String toString() {
      return "%s (%s in %s)".formatted(what, imageId, repoId);
    }
  }

  private final Scene scene;
  private final DemoTools tools;
  private final RealDisk source;
  private final ContentHashes contents;
  private final String expected;

  CompareImages(Scene scene, DemoTools tools, RealDisk source)
      throws IOException, InterruptedException {
    this.scene = scene;
    this.tools = tools;
    this.source = source;
    this.contents = new ContentHashes(tools.qemuImg());
    this.expected = contents.sha256(source.chain(), source.size());
  }

  /** Compares several images at once; the first difference is the failure. */
  void compareAll(List<Subject> subjects) throws IOException, InterruptedException, DemoFailure {
    scene.audience().progress("comparing " + subjects.size() + " images", null);
    int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> comparisons = new ArrayList<>();
      for (Subject subject : subjects) {
        comparisons.add(
            executor.submit(() -> {
              compare(subject);
              return subject;
            }));
      }
      for (Future<?> comparison : comparisons) {
        comparison.get();
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case DemoFailure difference -> throw difference;
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private void compare(Subject subject) throws IOException, InterruptedException, DemoFailure {
    OpenRequest reading = new OpenRequest(true, DemoImages.OWNER);
    OpenedImage opened = scene.api().openImage(subject.repoId(), subject.imageId(), reading, null);
    try {
      compare(subject, opened);
    } finally {
      scene.api().closeImage(subject.repoId(), subject.imageId(), opened.openId(), null);
    }
  }

  private void compare(Subject subject, OpenedImage opened)
      throws IOException, InterruptedException, DemoFailure {
    if (opened.size() != source.size()) {
      throw new DemoFailure(
          subject + " has " + opened.size() + " bytes, its source has " + source.size());
    }
    List<Chain.Layer> layers = new ArrayList<>();
    layers.add(new Chain.Layer(Path.of(opened.path()), opened.format()));
    opened
        .backingChain()
        .forEach(link -> layers.add(new Chain.Layer(Path.of(link.path()), link.format())));
    Chain chain = new Chain(layers);
    if (!tools.qemuImg().compare(source.chain(), chain)) {
      throw new DemoFailure(subject + " differs from its source, says qemu-img compare");
    }
    String found = contents.sha256(chain, opened.size());
    if (!found.equals(expected)) {
      throw new DemoFailure(
          subject + " differs from its source: SHA-256 " + found + ", not " + expected);
    }
  }

  String expected() {
    return expected;
  }
}
