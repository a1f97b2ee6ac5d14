package io.quarry.it.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.it.box.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hundreds of images in three repositories, by the command line alone: chains and branches, copies
 * and differences, snapshots removed from the middle, and at last all of them. Nothing may be left
 * then. {@code -Dtree.seed=N} repeats a run.
 */
@Timeout(600)
@SuppressWarnings("SystemOut")
final class TreeIT {
  private static final int IMAGES = Integer.getInteger("quarry.it.images", 300);
  private static final int COMPARED = IMAGES / 5;
  private static final List<String> REPOSITORIES = List.of("one", "two", "three");

  @TempDir private Path directory;

  @Test
  void treeIsBuiltAndTornDownWithoutTrace() throws Exception {
    long seed = Long.getLong("tree.seed", new Random().nextLong());
    System.out.println("TreeIT: -Dtree.seed=" + seed);
    Random random = new Random(seed);
    try (Box box = Box.pair(directory)) {
      CliShell shell =
          new CliShell(List.of(box.host(0).url().toString(), box.host(1).url().toString()));
      for (String repo : REPOSITORIES) {
        Path path = Files.createDirectories(box.repository(repo));
        shell.say(
            "repo",
            "create",
            repo,
            "--format",
            "localfs-1.0",
            "--param",
            "path=" + path,
            "--on",
            "all");
      }
      Tree tree = new Tree(shell, random, REPOSITORIES);
      build(tree, random);
      compare(tree, random);
      tearDown(tree, random);
      for (String repo : REPOSITORIES) {
        assertEmpty(shell, repo, box.repository(repo));
      }
      System.out.printf("%d commands, %d differences%n", shell.commands(), tree.differences());
      assertThat(tree.differences()).isPositive();
    }
  }

  private static void build(Tree tree, Random random) throws Exception {
    // Few images may leave no place for a difference.
    for (int image = 0; image < IMAGES || tree.differences() == 0; image++) {
      tree.grow();
      if (random.nextInt(3) == 0) {
        tree.write();
      }
      if (random.nextInt(10) == 0) {
        tree.removeInTheMiddle();
      }
    }
  }

  private static void compare(Tree tree, Random random) throws Exception {
    List<Member> some = new ArrayList<>(tree.visible());
    Collections.shuffle(some, random);
    for (Member member : some.subList(0, COMPARED)) {
      tree.assertContent(member);
    }
  }

  private static void tearDown(Tree tree, Random random) throws Exception {
    List<Member> all = new ArrayList<>(tree.visible());
    Collections.shuffle(all, random);
    for (int left = all.size(); left > 0; left--) {
      tree.remove(all.get(left - 1));
      if (left == all.size() / 2) {
        tree.assertContent(all.getFirst());
      }
    }
  }

  private static void assertEmpty(CliShell shell, String repo, Path directory) throws Exception {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> {
          assertThat(shell.say("check", repo)).isEqualTo("nothing to fix");
          assertThat(shell.ask("queue", "list", repo)).isEmpty();
          assertThat(shell.ask("image", "list", repo).path("images")).isEmpty();
          assertThat(shell.ask("image", "list", repo, "--removed").path("images")).isEmpty();
          assertThat(directory.resolve("volumes")).isEmptyDirectory();
          assertThat(directory.resolve("fixes")).isEmptyDirectory();
          JsonNode shown = shell.ask("repo", "show", repo);
          assertThat(shown.path("images").path("hidden").asInt()).isZero();
          assertThat(shown.path("usedBytes").asLong()).as("size as last measured").isZero();
        });
  }
}
