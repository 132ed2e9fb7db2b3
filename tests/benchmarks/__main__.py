"""All benchmarks in turn; with ``--long`` also the GAN, which takes five minutes a seed."""

import sys

from tests.benchmarks import (
    bench_compare,
    bench_documents,
    bench_embeddings,
    bench_faces,
    bench_inversion,
    bench_labelled,
    bench_latent,
    bench_live,
    bench_load,
    bench_measuring,
    bench_mechanisms,
    bench_topics,
    bench_training,
)

bench_training.main(long="--long" in sys.argv)
bench_faces.main()
bench_compare.main()
bench_documents.main()
bench_topics.main()
bench_embeddings.main()
bench_latent.main()
bench_inversion.main()
bench_labelled.main([])
bench_mechanisms.main()
bench_measuring.main([])
bench_live.main()
bench_load.main([])
